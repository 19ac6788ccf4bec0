// Where a filter or a group may go in the tree, one step at a time.

/** The steps that are possible for a node now: by name, the group and the place in it. */
export function steps(node) {
  const { parent } = node;
  const siblings = parent.children;
  const index = siblings.indexOf(node);
  const found = {};
  if (index > 0) found.move_up = { group: parent, index: index - 1 };
  if (index < siblings.length - 1) found.move_down = { group: parent, index: index + 1 };
  const [before, after] = [siblings[index - 1], siblings[index + 1]];
  if (before?.children && fits(node, before)) found.move_into_above = { group: before, index: before.children.length };
  if (after?.children && fits(node, after)) found.move_into_below = { group: after, index: 0 };
  if (parent.parent) found.move_out = { group: parent.parent, index: parent.parent.children.indexOf(parent) + 1 };
  return found;
}

/** Whether a group may hold a node: no group goes into itself, or deeper than is allowed. */
export function fits(node, group) {
  for (let around = group; around; around = around.parent) if (around === node) return false;
  return group.depth + height(node) <= group.page.max_depth;
}

/** Put a node at a place, counted as if it were not there. */
export function move(node, { group, index }) {
  node.parent.detach(node);
  group.insert(node, index);
}

/** How many levels of groups a node brings. */
const height = (node) => (node.children ? 1 + Math.max(0, ...node.children.map(height)) : 0);

/** The filters in a node. */
export const filterCount = (node) => (node.children ? node.children.reduce((sum, child) => sum + filterCount(child), 0) : 1);
