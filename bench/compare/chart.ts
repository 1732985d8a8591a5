/** An SVG of what a request costs against the catalog's size, both axes logarithmic. */

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly dashed: boolean;
  /** Size of the catalog, microseconds a request. */
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 80;
const RIGHT = 200;
const TOP = 40;
const BOTTOM = 60;

export function chart(title: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const x = scale(
    all.map(([size]) => size),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    all.map(([, cost]) => cost),
    HEIGHT - BOTTOM,
    TOP,
  );
  const sizes = [...new Set(all.map(([size]) => size))];
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="15">${title}</text>`,
    ...decades(all.map(([, cost]) => cost)).map((cost) => grid(y(cost), costLabel(cost))),
    ...sizes.map(
      (size) =>
        `<text x="${x(size)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 18}" text-anchor="middle">instances in the catalog</text>`,
    ...labelled(lines, y).map(({ line, labelY }) => drawn(line, { x, y, labelY })),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

type Scale = (value: number) => number;

function scale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.log10(Math.min(...values));
  const high = Math.log10(Math.max(...values));
  const span = high - low || 1;
  return (value) => Math.round(from + ((Math.log10(value) - low) / span) * (to - from));
}

function decades(values: readonly number[]): number[] {
  const low = Math.ceil(Math.log10(Math.min(...values)));
  const high = Math.floor(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => 10 ** (low + i));
}

function grid(y: number, label: string): string {
  return (
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#ddd"/>` +
    `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${label}</text>`
  );
}

function costLabel(us: number): string {
  return us >= 1000 ? `${us / 1000} ms` : `${us} µs`;
}

/** Labels at the lines' ends, none on top of another. */
function labelled(lines: readonly Line[], y: Scale) {
  const sorted = lines
    .map((line) => ({ line, at: y(line.points.at(-1)?.[1] ?? 1) }))
    .sort((a, b) => a.at - b.at);
  let above = Number.NEGATIVE_INFINITY;
  return sorted.map(({ line, at }) => {
    above = Math.max(at, above + 16);
    return { line, labelY: above };
  });
}

function drawn({ name, colour, dashed, points }: Line, at: { x: Scale; y: Scale; labelY: number }) {
  const path = points.map(([size, cost]) => `${at.x(size)},${at.y(cost)}`).join(' ');
  const dash = dashed ? ' stroke-dasharray="6 4"' : '';
  return (
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>` +
    `<text x="${WIDTH - RIGHT + 8}" y="${at.labelY + 4}" fill="${colour}">${name}</text>`
  );
}
