import { systemClock } from '../../lib/clock.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { encodeJson } from '../../lib/json.ts';
import type { HistoryChange } from '../../lib/model.ts';
import { type Command, columns, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { FORMAT, wantsJson } from '../format.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Window {
  readonly Window: string;
  readonly Available: number | null;
  readonly Outages: number;
  readonly LongestRecoverySeconds: number | null;
  readonly UnknownSeconds: number;
}

/** Of lines in a pipe. */
const WIDTH = 80;
/** Of an output, in characters. */
const LEAST_OUTPUT = 20;
const GAP = 1;
const DEFAULT_LIMIT = '50';

export const command: Command = {
  synopsis: '[options] NAME',
  details: 'What became of a service and its checks, and how available that made it.',
  examples: ['web', '-since=24h web', '-format=json web', '-node m1'],
  http: 'query',
  flags: new Map([
    FORMAT,
    ['limit', { kind: 'string', help: `The newest so many changes; ${DEFAULT_LIMIT} by default.` }],
    ['node', { kind: 'bool', help: 'NAME is that of a node.' }],
    [
      'since',
      { kind: 'string', help: 'From a time on (2026-01-31T12:00:00Z), or so long ago (24h).' },
    ],
  ]),

  async run({ flags, args, host, client, misuse }) {
    const [name, ...rest] = args;
    if (name === undefined || rest.length > 0) throw misuse('Must specify one name');
    const asJson = wantsJson(flags);
    const get = (path: string, query: readonly (readonly [string, string])[] = []) =>
      explained('Error reading the history', client().send({ method: 'GET', path, query }));
    const of = `${flags.isSet('node') ? 'node' : 'service'}/${encodeURIComponent(name)}`;
    const answer = await get(`/v1/internal/history/${of}`, [
      ['limit', flags.text('limit') || DEFAULT_LIMIT],
      ...since(flags),
    ]);
    const rows = answer.json as readonly HistoryChange[];
    if (asJson) {
      host.print(`${encodeJson(rows, true)}\n`);
      return 0;
    }
    if (rows.length === 0) {
      host.printError(`Nothing is remembered of ${name}.\n`);
      return 0;
    }
    host.print(changes(rows, host.terminal));
    if (flags.isSet('node')) return 0;
    const availability = await get(`/v1/internal/availability/${of}`, [['limit', '1']]);
    host.print(`\n${figures((availability.json as { Windows: readonly Window[] }).Windows)}`);
    return 0;
  },
};

function since(flags: FlagValues): readonly (readonly [string, string])[] {
  const text = flags.text('since');
  if (text === '') return [];
  const ns = parseDuration(text);
  const from = ns === undefined ? text : String((systemClock.now() - ns / NS_PER_MS) / 1000);
  return [['since', from]];
}

function shownTime(text: string): string {
  return text.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

/** Names are whole, for two of them may begin alike; of outputs, as much as there is room for. */
function changes(rows: readonly HistoryChange[], terminal: Terminal | undefined): string {
  const facts = rows.map(({ Time, Node, ServiceID, CheckID, From, To }) => [
    shownTime(Time),
    Node,
    CheckID || ServiceID || 'node',
    `${From} > ${To}`,
  ]);
  const head = ['Time', 'Node', 'What', 'Change'];
  const taken = columns(
    [head, ...facts].map((each) => [...each, '']),
    GAP,
  ).indexOf('\n');
  const room = Math.max(LEAST_OUTPUT, (terminal?.columns ?? WIDTH) - taken);
  const cells = facts.map((each, at) => [...each, clipped(rows[at]?.Output ?? '', room)]);
  return table(terminal, [[...head, 'Output'], ...cells], GAP).replaceAll(/ +$/gm, '');
}

/** An output may have lines of its own, and whatever a terminal would obey. */
function clipped(text: string, width: number): string {
  const plain = text.replace(/\p{Cc}/gu, ' ');
  return plain.length <= width ? plain : `${plain.slice(0, width - 1)}…`;
}

function figures(windows: readonly Window[]): string {
  const cells = windows.map((window) => [
    window.Window,
    window.Available === null ? '-' : `${(window.Available * 100).toFixed(3)}%`,
    String(window.Outages),
    window.LongestRecoverySeconds === null ? '-' : `${window.LongestRecoverySeconds}s`,
    `${window.UnknownSeconds}s`,
  ]);
  return columns([['Window', 'Available', 'Outages', 'Longest', 'Unknown'], ...cells]);
}
