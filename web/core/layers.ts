/**
 * Where the parts of a drawing stand that lead to each other: in layers from left to right, each behind all that
 * lead to it, and in a layer so that few lines cross. What leads in a circle is cut where it comes back. A line that
 * leads past a layer has a place of its own there, so that it meets no box.
 */

export interface Line {
  readonly from: string;
  readonly to: string;
}

/** Of a box, or of a line on its way. */
export type Slot = { readonly name: string } | { readonly line: Line };

export interface Layers {
  /** From left to right, and each from above. */
  readonly slots: readonly (readonly Slot[])[];
  /** There are too many to give each line its way: they lead straight. */
  readonly isStraight: boolean;
}

/** So often each layer is put into the order of its neighbours: more changes next to nothing. */
const SWEEPS = 4;
/** Places of lines: of more nobody could follow one. */
const MAX_LANES = 4000;

export function layersOf(names: readonly string[], lines: readonly Line[]): Layers {
  const known = new Set(names);
  const drawn = lines.filter(({ from, to }) => known.has(from) && known.has(to));
  const plain = drawn.filter(({ from, to }) => from !== to);
  const layers = depthsOf(names, plain);
  const inLayers: string[][] = [];
  const put = (id: string, layer: number) => {
    const there = inLayers[layer];
    if (there === undefined) inLayers[layer] = [id];
    else there.push(id);
  };
  for (const name of names) put(name, layers.get(name) ?? 0);
  const spans = drawn.map((line) => ({ line, past: pastOf(line, layers) }));
  const isStraight = spans.reduce((sum, { past }) => sum + past.length, 0) > MAX_LANES;
  const lanes = new Map<string, Line>();
  const steps: Line[] = [];
  for (const { line, past } of isStraight ? [] : spans) {
    let last = line.from;
    for (const layer of past) {
      // No name has it in front.
      const id = `\0${lanes.size}`;
      lanes.set(id, line);
      put(id, layer);
      steps.push({ from: last, to: id });
      last = id;
    }
    steps.push({ from: last, to: line.to });
  }
  ordered(inLayers, isStraight ? plain : steps);
  const slotOf = (id: string): Slot => {
    const line = lanes.get(id);
    return line === undefined ? { name: id } : { line };
  };
  return { slots: inLayers.map((layer) => layer.map(slotOf)), isStraight };
}

/** The layers that a line leads past: those between its ends; where it comes back those of its ends too. */
function pastOf({ from, to }: Line, layers: ReadonlyMap<string, number>): readonly number[] {
  const [first, last] = [layers.get(from) ?? 0, layers.get(to) ?? 0];
  if (last > first) return Array.from({ length: last - first - 1 }, (_, i) => first + 1 + i);
  return Array.from({ length: first - last + 1 }, (_, i) => first - i);
}

/** The longest way to each, without what comes back. */
function depthsOf(names: readonly string[], lines: readonly Line[]): ReadonlyMap<string, number> {
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
