import { createRequire } from 'node:module';

// A CommonJS module that calls itself an ES module: Node's import and that of the specs' loader
// disagree on where its default export is, require does not.
const { default: BTree } = createRequire(import.meta.url)(
  'sorted-btree',
) as typeof import('sorted-btree');

export { BTree };
