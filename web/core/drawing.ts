/**
 * Boxes and lines as they are drawn: each layer below each other in the middle of the highest one, each line through
 * the places that it has in layers between, and bent where there is nothing but lines.
 */
import { type Line, layersOf, type Slot } from './layers.ts';

export interface Sizes {
  /** Of a box. */
  readonly width: number;
  readonly height: number;
  /** From one to the next. */
  readonly across: number;
  readonly down: number;
}

/** Before the tip of a line. */
export const TIP = 8;
/** Of a line among boxes. */
const LANE = 12;
/** Where a line comes back it turns beside its layer. */
const TURN = 44;

export interface Spot {
  readonly x: number;
  readonly y: number;
}

export interface Way {
  /** As the attribute `d` of SVG has it. */
  readonly path: string;
  readonly end: Spot;
  /** Where a sign may stand. */
  readonly middle: Spot;
  /** What it leads straight through, one after the other. */
  readonly passes: readonly Step[];
  /** Between those it bends, where there are no boxes. */
  readonly bends: readonly Step[];
}

type Step = readonly [Spot, Spot];

export interface Drawing {
  /** Their upper left corners. */
  readonly boxes: ReadonlyMap<string, Spot>;
  readonly ways: ReadonlyMap<Line, Way>;
  readonly width: number;
  readonly height: number;
  readonly isStraight: boolean;
}

export function drawingOf(names: readonly string[], lines: readonly Line[], sizes: Sizes): Drawing {
  const { slots, isStraight } = layersOf(names, lines);
  const layerOf = new Map<string, number>();
  for (const [layer, inside] of slots.entries()) {
    for (const slot of inside) if ('name' in slot) layerOf.set(slot.name, layer);
  }
  const comesBack = ({ from, to }: Line) => (layerOf.get(to) ?? 0) <= (layerOf.get(from) ?? 0);
  const edge = sizes.down + (lines.some(comesBack) ? TURN : 0);
  const { boxes, lanes, height } = placed(slots, sizes, edge);
  const ways = new Map<Line, Way>();
  for (const line of lines) {
    const [from, to] = [boxes.get(line.from), boxes.get(line.to)];
    if (from === undefined || to === undefined) continue;
    const isBack = comesBack(line);
    const inOrder = (lanes.get(line) ?? []).toSorted((a, b) => (isBack ? b.x - a.x : a.x - b.x));
    const passes = inOrder.map((at) => passOf(at, sizes, isBack));
    ways.set(line, wayOf({ from, to, isBack }, passes, sizes));
  }
  const { width: box, across } = sizes;
  const width = 2 * edge + Math.max(1, slots.length) * (box + across) - across;
  return { boxes, ways, width, height, isStraight };
}

function placed(slots: readonly (readonly Slot[])[], sizes: Sizes, edge: number) {
  const { width, across, down, height: box } = sizes;
  const needs = (slot: Slot) => ('name' in slot ? box + down : LANE);
  const heights = slots.map((inside) => inside.reduce((sum, slot) => sum + needs(slot), 0));
  const highest = Math.max(0, ...heights);
  const boxes = new Map<string, Spot>();
  const lanes = new Map<Line, Spot[]>();
  for (const [layer, inside] of slots.entries()) {
    const x = edge + layer * (width + across);
    let y = down + (highest - (heights[layer] ?? 0)) / 2;
    for (const slot of inside) {
      if ('name' in slot) boxes.set(slot.name, { x, y });
      else {
        const at = { x, y: y + (LANE - down) / 2 };
        const there = lanes.get(slot.line);
        if (there === undefined) lanes.set(slot.line, [at]);
        else there.push(at);
      }
      y += needs(slot);
    }
  }
  return { boxes, lanes, height: highest + down };
}

function passOf({ x, y }: Spot, { width }: Sizes, isBack: boolean): Step {
  const [left, right] = [
    { x, y },
    { x: x + width, y },
  ];
  return isBack ? [right, left] : [left, right];
}

interface Ends {
  readonly from: Spot;
  readonly to: Spot;
  readonly isBack: boolean;
}

/** From the right of one box to the left of another one, through its places. */
function wayOf({ from, to, isBack }: Ends, passes: readonly Step[], sizes: Sizes): Way {
  const begin = { x: from.x + sizes.width, y: from.y + sizes.height / 2 };
  const end = { x: to.x - TIP, y: to.y + sizes.height / 2 };
  const begins = [begin, ...passes.map(([, there]) => there)];
  const ends = [...passes.map(([here]) => here), end];
  const bends = begins.map((a, i): Step => [a, ends[i] ?? end]);
  let path = `M${textOf(begin)}`;
  for (const [i, [a, b]] of bends.entries()) {
    const middle = (a.x + b.x) / 2;
    // A line that comes back leaves to the right, and comes from the left, like all others.
    const [turnsOut, turnsIn] = [isBack && i === 0, isBack && i === bends.length - 1];
    const aside = Number(turnsOut) - Number(turnsIn);
    const out = turnsOut ? a.x + TURN : middleOr(a.x, aside, middle);
    const into = turnsIn ? b.x - TURN : middleOr(b.x, aside, middle);
    path += `C${out} ${a.y} ${into} ${b.y} ${textOf(b)}`;
    const pass = passes[i];
    if (pass !== undefined) path += `L${textOf(pass[1])}`;
  }
  const [a, b] = passes[Math.floor(passes.length / 2)] ?? [begin, end];
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  return { path, end, middle, passes, bends };
}

function middleOr(x: number, aside: number, middle: number): number {
  return aside === 0 ? middle : x + aside * TURN;
}

function textOf({ x, y }: Spot): string {
  return `${x} ${y}`;
}
