/**
 * Where the parts of a drawing stand that lead to each other: in layers from left to right, each behind all that
 * lead to it, and in a layer so that few lines cross. What leads in a circle is cut where it comes back.
 */

export interface Line {
  readonly from: string;
  readonly to: string;
}

export interface Place {
  readonly name: string;
  /** From 0, left to right. */
  readonly layer: number;
  /** From 0, downwards. */
  readonly row: number;
}

/** So often each layer is put into the order of its neighbours: more changes next to nothing. */
const SWEEPS = 4;

export function placesOf(names: readonly string[], lines: readonly Line[]): readonly Place[] {
  const known = new Set(names);
  const plain = lines.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
  const layers = layersOf(names, plain);
  const inLayers: string[][] = [];
  for (const name of names) {
    const layer = layers.get(name) ?? 0;
    inLayers[layer] = [...(inLayers[layer] ?? []), name];
  }
  ordered(inLayers, plain);
  return inLayers.flatMap((layer, i) => layer.map((name, row) => ({ name, layer: i, row })));
}

/** The longest way to each, without what comes back. */
function layersOf(names: readonly string[], lines: readonly Line[]): ReadonlyMap<string, number> {
  const onward = groupedBy(lines, ({ from }) => from);
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const kept: Line[] = [];
  const calledOnly = new Set(lines.map(({ to }) => to));
  // Those that nobody leads to come first: the drawing begins with them.
  const begins = [...names].sort((a, b) => Number(calledOnly.has(a)) - Number(calledOnly.has(b)));
  for (const name of begins) visit(name, { onward, state, order, kept });
  const layers = new Map<string, number>();
  const back = groupedBy(kept, ({ to }) => to);
  for (const name of order.reverse()) {
    const before = (back.get(name) ?? []).map(({ from }) => layers.get(from) ?? 0);
    layers.set(name, before.length === 0 ? 0 : Math.max(...before) + 1);
  }
  return layers;
}

interface Visiting {
  readonly onward: ReadonlyMap<string, readonly Line[]>;
  readonly state: Map<string, 'open' | 'done'>;
  /** Each behind all that it leads to. */
  readonly order: string[];
  readonly kept: Line[];
}

/** Depth first, without recursion: a chain may be as long as there are services. */
function visit(first: string, { onward, state, order, kept }: Visiting): void {
  if (state.has(first)) return;
  const path = [{ name: first, next: 0 }];
  state.set(first, 'open');
  for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
    const line = onward.get(at.name)?.[at.next++];
    if (line === undefined) {
      state.set(at.name, 'done');
      order.push(at.name);
      path.pop();
      continue;
    }
    const there = state.get(line.to);
    if (there === 'open') continue;
    kept.push(line);
    if (there === 'done') continue;
    state.set(line.to, 'open');
    path.push({ name: line.to, next: 0 });
  }
}

function groupedBy(
  lines: readonly Line[],
  keyOf: (line: Line) => string,
): ReadonlyMap<string, readonly Line[]> {
  const groups = new Map<string, Line[]>();
  for (const line of lines) {
    const group = groups.get(keyOf(line));
    if (group === undefined) groups.set(keyOf(line), [line]);
    else group.push(line);
  }
  return groups;
}

/** Each where its neighbours are, on the average: from left to right, and back. */
function ordered(layers: string[][], lines: readonly Line[]): void {
  const before = groupedBy(lines, ({ to }) => to);
  const behind = groupedBy(lines, ({ from }) => from);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isOnward = sweep % 2 === 0;
    const shares = sharesOf(layers);
    const middle = (name: string) => {
      const near = isOnward
        ? (before.get(name) ?? []).map(({ from }) => from)
        : (behind.get(name) ?? []).map(({ to }) => to);
      const at = near.flatMap((each) => shares.get(each) ?? []);
      if (at.length === 0) return shares.get(name) ?? 0;
      return at.reduce((sum, each) => sum + each, 0) / at.length;
    };
    const turns = isOnward ? layers : [...layers].reverse();
    for (const layer of turns) {
      const middles = new Map(layer.map((name) => [name, middle(name)]));
      layer.sort((a, b) => (middles.get(a) ?? 0) - (middles.get(b) ?? 0));
      for (const [name, share] of sharesOf([layer])) shares.set(name, share);
    }
  }
}

/** How far down each stands in its layer, from 0 to 1. */
function sharesOf(layers: readonly (readonly string[])[]): Map<string, number> {
  const shares = new Map<string, number>();
  for (const layer of layers) {
    for (const [row, name] of layer.entries()) shares.set(name, (row + 1) / (layer.length + 1));
  }
  return shares;
}
