/** Rows below one another, each column as wide as its widest cell, `gap` spaces between them. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((r) => r[at]?.length ?? 0)));
  return rows.map((row) => `${line(row, widths, ' '.repeat(gap))}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[], gap: string): string {
  return row
    .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
    .join(gap);
}
