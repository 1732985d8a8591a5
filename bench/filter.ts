/** How long a filter takes to read, and over 10,000 instances: node --import tsx bench/filter.ts */
import { compileFilter } from '../lib/filter/compile-filter.ts';
import { healthInstanceFields } from '../lib/filter/fields.ts';
import { MAX_FILTER_BYTES } from '../lib/filter/parse.ts';
import { seededRandom } from '../spec/support/fakes/seeded-random.ts';

const INSTANCES = 10_000;
const RUNS = 5;
const random = seededRandom(41);

const instances = Array.from({ length: INSTANCES }, (_, i) => ({
  Node: { Node: `node-${i}`, ID: random.uuid(), Meta: { rack: `r${i % 20}` } },
  Service: {
    Service: 'web',
    Tags: ['v1', `shard-${i % 64}`],
    Port: 8000 + (i % 1000),
    Meta: { evil: `${'a'.repeat(28)}!${i}`, version: `1.${i % 30}.0` },
  },
  Checks: [{ Status: 'passing' }, { Status: i % 10 === 0 ? 'critical' : 'passing' }],
}));

const FILTERS = [
  'Service.Port == 8080',
  '"shard-7" in Service.Tags and Service.Meta.version != "1.3.0"',
  'Checks.Status == critical',
  'Node.Node matches "^node-[0-9]+7$"',
  'Service.Meta.evil matches "(a+)+$"',
  'Service.Meta.evil matches "^(a|a?)+$"',
  'Service.Meta.evil matches "^(([a-z])+.)+[A-Z]([a-z])+$"',
  'Service.Meta.evil matches "(x+x+)+y"',
  // Built so that hardly two texts take the same states: the most that one request may cost.
  'Node.ID matches "[0-7].{20}[g-z]"',
  'Node.ID matches "(.*[0-7].{18}){5}[g-z]"',
  'Node.ID matches "(([0-7]|a).{1,16}){3}[g-z]"',
];

function medianMs(run: () => void): string {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return `${(times.sort((a, b) => a - b)[RUNS >> 1] ?? 0).toFixed(1).padStart(8)} ms`;
}

for (const filter of FILTERS) {
  const ms = medianMs(() => void instances.filter(compileFilter(filter, healthInstanceFields)));
  process.stdout.write(`${ms}  ${INSTANCES} instances, ${filter}\n`);
}

const LONG = [
  ['many comparisons', Array.from({ length: 290 }, () => 'Node.ID==a').join(' or ')],
  ['nothing but space', ' '.repeat(MAX_FILTER_BYTES)],
  ['open parentheses', '('.repeat(MAX_FILTER_BYTES)],
  ['many bad escapes', '"\\q" in x or '.repeat(310)],
  ['a pattern of copies', `Node.ID matches "${'(a?){1,9}'.repeat(110)}"`],
  ['open classes', `Node.ID matches "${'[[:a:'.repeat(190)}"`],
  ['open brackets', 'a["'.repeat(1300)],
] as const;
for (const [name, filter] of LONG) {
  const ms = medianMs(() => {
    try {
      compileFilter(filter, healthInstanceFields);
    } catch {
      // Most of them are malformed; only the time counts here.
    }
  });
  process.stdout.write(`${ms}  ${filter.length} bytes of ${name}\n`);
}
