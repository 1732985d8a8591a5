/**
 * What the history costs on a write that changes the status of a check: two servers, one that keeps none,
 * loaded in turns by wrk. Run: node --import tsx bench/history-writes.ts [rounds, 10] [seconds each, 2]
 */
import { killProconsuls, startProconsul } from '../spec/support/servers/proconsul.ts';
import { inPairs } from './compare/pairs.ts';

const [rounds = 10, seconds = 2] = process.argv.slice(2).map(Number);
const CHECKS = 1000;
const FLIP = {
  path: '/v1/catalog/register',
  lua: `local i = n % ${CHECKS}
local status = math.floor(n / ${CHECKS}) % 2 == 0 and 'passing' or 'critical'
return wrk.format('PUT', '/v1/catalog/register', nil, '{"Node":"n' .. i .. '","Address":"10.0.0.1",' ..
  '"Service":{"ID":"web","Service":"web","Port":80},' ..
  '"Check":{"CheckID":"c","Name":"up","ServiceID":"web","Status":"' .. status .. '","Output":"' .. status .. '"}}')`,
};

const without = await startProconsul(['-dev', '-hcl=history { max_changes_per_check = 0 }']);
const kept = await startProconsul(['-dev']);
const cost = await inPairs(without, kept, { request: FLIP, rounds, seconds });
const ratio = (cost.other / cost.plain).toFixed(3);
const costs = `${cost.plain.toFixed(1)} µs without, ${cost.other.toFixed(1)} with: × ${ratio}`;
const rate = `rate × ${cost.rate.toFixed(3)} (median of ${rounds} pairs)`;
process.stdout.write(`processor of a change of status: ${costs}; ${rate}\n`);
await killProconsuls();
