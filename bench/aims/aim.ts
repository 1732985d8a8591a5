/** What is aimed for, and what was measured of it. */
import { median } from '../compare/measure.ts';
import { figure, times } from '../compare/table.ts';

/** Consul's figure and ours, of one round after another. */
export interface Pairs {
  readonly consul: number[];
  readonly ours: number[];
}

export interface Aim {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** At least so many times Consul's. */
  readonly target: number;
}

export interface Met extends Aim {
  readonly consul: number;
  readonly ours: number;
  /** How many times better, by the medians. */
  readonly ratio: number;
  readonly rounds: number;
}

export function met(aim: Aim, { consul, ours }: Pairs): Met {
  const [theirs, own] = [median(consul), median(ours)];
  const ratio = aim.better === 'more' ? own / theirs : theirs / own;
  return { ...aim, consul: theirs, ours: own, ratio, rounds: ours.length };
}

export const HEAD = '| | Consul | Proconsul | | aim |\n|---|---:|---:|---:|---:|';

export function lineOf({ name, unit, target, consul, ours, ratio }: Met): string {
  const figures = [consul, ours].map((value) => `${figure(value)} ${unit}`).join(' | ');
  const isMissed = ratio < target ? ', missed' : '';
  return `| ${name} | ${figures} | **${times(ratio)}×** | ≥ ${target}×${isMissed} |`;
}

export function tableOf(all: readonly Met[]): string {
  return [HEAD, ...all.map(lineOf)].join('\n');
}
