import assert from 'node:assert/strict';
import { hintFor } from '../../cli/hints.ts';
import { runWords } from '../support/servers/command-line.ts';
import { startServer } from '../support/servers/start-server.ts';

describe('a hint', () => {
  it('says where an agent is looked for, and how to start one', async () => {
    const { err, hints } = await runWords(['kv', 'get', '-http-addr=127.0.0.1:1', 'a']);
    assert.match(err, /connection refused\n$/);
    assert.equal(hints?.length, 1);
    assert.match(hints?.[0] ?? '', /^No agent is there\. Start one with "proconsul agent -dev"/);
  });

  it('is given of no answer that speaks for itself', async () => {
    const { port } = await startServer();
    const { err, hints } = await runWords(['kv', 'get', `-http-addr=127.0.0.1:${port}`, 'a']);
    assert.deepEqual([err, hints], ['Error! No key exists at: a\n', undefined]);
  });

  it('is given where HTTPS is spoken to a port of HTTP, which is said in Go’s words', async () => {
    const { port } = await startServer();
    const { err, hints } = await runWords([
      'kv',
      'get',
      `-http-addr=https://127.0.0.1:${port}`,
      'a',
    ]);
    assert.match(err, /: http: server gave HTTP response to HTTPS client\n$/);
    assert.match(hints?.[0] ?? '', /^It may speak the other/);
  });

  it('is given of a file that is missing only where it is the socket of an agent', () => {
    assert.equal(hintFor('Error: open /x.json: no such file or directory'), undefined);
    const dialed = 'dial unix /run/c.sock: connect: no such file or directory';
    assert.match(hintFor(dialed) ?? '', /^No agent is there/);
  });

  for (const [message, start] of [
    ['Error listing nodes: Unexpected response code: 403 (Permission denied)', 'The token may'],
    ['Get "https://x": self-signed certificate', "The agent's certificate"],
    ['Get "http://x": socket hang up', 'It may speak the other'],
    ['Unexpected response code: 500 (No cluster leader)', 'No server leads now'],
  ] as const) {
    it(`begins, of "${message}", with "${start}"`, () => {
      assert.ok(hintFor(message)?.startsWith(start));
    });
  }
});
