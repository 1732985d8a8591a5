/**
 * What h2spec (github.com/summerwind/h2spec), which knows the RFCs of HTTP/2 by heart, says of the sidecar as callers meet it.
 *
 *   node --import tsx spec/system/h2spec.system.ts H2SPEC
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createHost } from 'node:http2';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { portOf } from '../../lib/listening.ts';
import { systemRandom } from '../../lib/random.ts';
import { Between } from '../support/experiments/http2/between.ts';

/** What it wants otherwise, each by the beginning of its words, and why it is as it is. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ['Sends invalid connection preface', 'what does not begin as HTTP/2 is read as HTTP/1.1'],
  ['Sends PRIORITY frame that depend on itself', 'nothing goes by priorities (RFC 9113, 5.3)'],
]);

const [program] = process.argv.slice(2);
if (program === undefined) throw new Error('say where h2spec is');

function listening(server: Pick<Server, 'listen'>): Promise<void> {
  return new Promise((resolve) => void server.listen(0, '127.0.0.1', resolve));
}

const host = createHost((request, response) => {
  request.resume().on('end', () => response.end('ok'));
});
host.on('sessionError', () => undefined);
await listening(host);
const { port } = host.address() as { readonly port: number };
const dial = () => connect({ port, host: '127.0.0.1' });
const between = new Between({ clock: systemClock, random: systemRandom, dial });
const callers = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  between.take(socket.on('error', () => undefined));
});
await listening(callers);

const report = join(tmpdir(), `h2spec-${process.pid}.xml`);
const words = ['-h', '127.0.0.1', '-p', `${portOf(callers)}`, '-o', '2', '-j', report];
await new Promise<void>((resolve) => execFile(program, words, () => resolve()));
const xml = readFileSync(report, 'utf8');
rmSync(report);

const print = (line: string) => void process.stdout.write(`${line}\n`);
const cases = [...xml.matchAll(/<testcase ([^>]*?)(\/>|>(.*?)<\/testcase>)/gs)];
let failed = 0;
for (const [, attributes = '', , body = ''] of cases) {
  if (!/<(?:failure|error)/.test(body)) continue;
  const [, of = ''] = /package="([^"]*)"/.exec(attributes) ?? [];
  const [, what = ''] = /classname="([^"]*)"/.exec(attributes) ?? [];
  const why = [...MEANT].find(([begins]) => what.startsWith(begins))?.[1];
  if (why === undefined) failed++;
  print(`${why === undefined ? 'FAIL' : `meant: ${why}`}: ${of} ${what} ${body.trim()}`);
}
print(`${cases.length} cases, ${failed} failed`);
process.exit(failed === 0 && cases.length > 100 ? 0 : 1);
