/** The tables of docs/scale.md: what things take, and what a fleet of agents comes to. */
import { CONSTANTS } from './constants.ts';
import { type Bound, beatSeconds, boundOf, FULL, fleet, loadOf, serversFor } from './model.ts';

const BEGIN = '<!-- reckoned: written by bench/scale/main.ts --write -->';
const END = '<!-- end of what was reckoned -->';

const FLEETS = [1000, 5000, 10_000, 25_000, 50_000, 100_000, 200_000];
const MOST_SERVERS = 15;

const WORDS: Readonly<Record<Bound, string>> = {
  server: "a server's core",
  redis: "Redis's thread",
  memory: "a server's memory",
  network: 'the network',
  files: 'open files',
};

export function scalePage(before: string): { readonly tables: string; readonly whole: string } {
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/scale.md has no place for what is reckoned');
  const tables = `${fleets()}\n\n${constants()}`;
  const whole = `${before.slice(0, from)}${BEGIN}\n\n${tables}\n\n${before.slice(to)}`;
  return { tables, whole };
}

function fleets(): string {
  const head =
    '| agents | instances | watchers | changes, woken, reads a second | servers | a beat each | core, Redis, memory, network, files | fullest |\n' +
    '|---:|---:|---:|---:|---:|---:|---:|---|';
  return [head, ...FLEETS.map(fleetRow)].join('\n');
}

function fleetRow(agents: number): string {
  const size = fleet(agents);
  const enough = serversFor(size, MOST_SERVERS);
  const servers = enough ?? MOST_SERVERS;
  const load = loadOf(size, servers);
  const { server, redis, memory, network, files } = load;
  const shares = [server, redis, memory, network, files].map(percent).join(', ');
  const woken = size.changes * size.watchersOfService;
  const cells = [
    count(agents),
    count(size.instances),
    count(size.watchers),
    [size.changes, woken, size.reads].map(count).join(', '),
    enough === undefined ? `${servers} do not do` : String(servers),
    `${beatSeconds(agents, servers).toFixed(1)} s`,
    shares,
    WORDS[boundOf(load)],
  ];
  return `| ${cells.join(' | ')} |`;
}

function constants(): string {
  const rows = Object.values(CONSTANTS).map(({ value, unit, of, by }) => {
    const source = by.endsWith('.ts') ? `\`${by}\`` : by;
    return `| ${of} | ${value.toLocaleString('en')} ${unit} | ${source} |`;
  });
  return ['| what | takes | measured by |', '|---|---:|---|', ...rows].join('\n');
}

/** Above what is too full it is said so. */
function percent(share: number): string {
  const text = `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  return share > FULL ? `**${text}**` : text;
}

function count(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 0 });
}
