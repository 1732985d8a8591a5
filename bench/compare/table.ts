import { type Measured, ratio } from './measure.ts';
import type { Kind } from './registry.ts';

const OURS: readonly Kind[] = ['memory', 'file', 'redis'];

const HEAD =
  '| | aim | Consul | memory log | file log | Redis log |\n|---|---:|---:|---:|---:|---:|';

/** A table of Markdown: figures, and behind each of ours how many times better it is. */
export function table(rows: readonly Measured[]): string {
  return [HEAD, ...rows.map(line)].join('\n');
}

export function line(measured: Measured): string {
  const { row, medians } = measured;
  const onRedis = row.targetOnRedis === undefined ? '' : `, on Redis ${row.targetOnRedis}×`;
  const aim = row.target === 0 ? '' : `≥ ${row.target}×${onRedis}`;
  const ours = OURS.map((kind) => {
    const value = medians.get(kind);
    if (value === undefined) return '';
    const better = ratio(measured, kind);
    const said = Number.isFinite(better) ? ` (**${times(better)}×**)` : '';
    return `${figure(value)} ${row.unit}${said}`;
  });
  const consul = `${figure(medians.get('consul') ?? Number.NaN)} ${row.unit}`;
  return `| ${row.name} | ${aim} | ${consul} | ${ours.join(' | ')} |`;
}

export function figure(value: number): string {
  const digits = value >= 100 ? 0 : 1;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

export function times(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
