/** Where the points of a line over time stand in its drawing, and which part of the time is looked at. */

/** A part of the time. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** In units of the drawing, which is stretched to the room that there is. */
export const WIDTH = 600;
export const HEIGHT = 120;
/** So that the highest is not cut. */
const ABOVE = 8;
/** Of all that there is no smaller part is looked at. */
const MOST_ZOOM = 30;

export function wholeOf(times: readonly number[]): Span {
  return { from: times[0] ?? 0, to: times.at(-1) ?? 0 };
}

export function xOf(time: number, { from, to }: Span): number {
  return to === from ? WIDTH : ((time - from) / (to - from)) * WIDTH;
}

export function yOf(value: number, most: number): number {
  return HEIGHT - (most === 0 ? 0 : (value / most) * (HEIGHT - ABOVE));
}

/** What is at such a share of the width. */
export function timeAt(share: number, { from, to }: Span): number {
  return from + Math.max(0, Math.min(1, share)) * (to - from);
}

/** Which of the times is next to it. */
export function nearest(times: readonly number[], time: number): number {
  let found = 0;
  for (const [i, each] of times.entries())
    if (Math.abs(each - time) < Math.abs((times[found] ?? 0) - time)) found = i;
  return found;
}

/** So much of what was looked at, around a moment; all of it where that is too little, or is all there is. */
export function zoomed(span: Span, whole: Span, by: number, middle: number): Span | undefined {
  const half = (by * (span.to - span.from)) / 2;
  return within({ from: middle - half, to: middle + half }, whole, span);
}

/** The part between two moments, in either order; `before` where it is too small. */
export function within(part: Span, whole: Span, before?: Span): Span | undefined {
  const from = Math.max(whole.from, Math.min(part.from, part.to));
  const to = Math.min(whole.to, Math.max(part.from, part.to));
  if (to - from < (whole.to - whole.from) / MOST_ZOOM) return before;
  return from <= whole.from && to >= whole.to ? undefined : { from, to };
}

/** As far to either side as a moment comes into sight. */
export function showing(span: Span, time: number): Span {
  const by = Math.min(0, time - span.from) || Math.max(0, time - span.to);
  return { from: span.from + by, to: span.to + by };
}

/** The part, as far as it is still there: the oldest goes as time does, and what is looked at goes along. */
export function still(part: Span, whole: Span): Span {
  if (part.to <= whole.from || part.from >= whole.to) return whole;
  const by = Math.max(0, whole.from - part.from);
  return { from: part.from + by, to: Math.min(part.to + by, whole.to) };
}

/** One that stands alone is a dot; what is not known is a gap. */
export function pathOf(
  times: readonly number[],
  values: readonly (number | null)[],
  { span, most }: { readonly span: Span; readonly most: number },
): string {
  let path = '';
  let isDrawing = false;
  for (const [i, time] of times.entries()) {
    const value = values[i] ?? null;
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const [left, top] = [xOf(time, span).toFixed(1), yOf(value, most).toFixed(1)];
    path += isDrawing ? `L${left} ${top}` : `M${left} ${top}h0.1`;
    isDrawing = true;
  }
  return path;
}

/** Of those in sight. */
export function mostOf(
  times: readonly number[],
  lines: readonly { readonly values: readonly (number | null)[] }[],
  { from, to }: Span,
): number {
  let most = 0;
  for (const { values } of lines)
    for (const [i, value] of values.entries()) {
      const time = times[i] ?? 0;
      if (time >= from && time <= to) most = Math.max(most, value ?? 0);
    }
  return most;
}
