import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../../../lib/errors.ts';
import { LineBudget } from '../../../lib/http/line-budget.ts';
import { RequestLines } from '../../../lib/http/request-lines.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

describe('what the log says of requests', () => {
  const denied = new ProconsulError('forbidden', 'Permission denied');

  function start(debug = false) {
    const clock = new FakeClock();
    const recording = new RecordingLogger();
    const { lines, info } = recording;
    const logger = { ...recording, debug: info, isDebugEnabled: () => debug };
    return {
      clock,
      lines,
      requests: new RequestLines(logger, clock, new LineBudget(logger, clock)),
    };
  }

  function message(url: string, headers = {}): IncomingMessage {
    const socket = { remoteAddress: '10.0.0.7' };
    return { method: 'PUT', url, headers, socket } as unknown as IncomingMessage;
  }

  it('is who was refused, and why, without a token or what was asked for', () => {
    const { requests, lines } = start();
    const headers = { 'x-consul-token': 'canary-token' };
    const error = new ProconsulError('forbidden', 'ACL not found: canary-token');
    requests.failed(error, message('/v1/kv/a?token=canary-other', headers), '');
    requests.failed(denied, message('/v1/acl/info/canary-secret', headers), 'acc-1');
    assert.deepEqual(lines, [
      'warn http: refused: method=PUT path=/v1/kv/a from=10.0.0.7 why="ACL not found: <hidden>"',
      'warn http: refused: method=PUT path=/v1/acl/info/<hidden> from=10.0.0.7 accessor=acc-1 why="Permission denied"',
    ]);
  });

  it('is ten of the refused in a minute, and then how many they were', async () => {
    const { requests, lines, clock } = start();
    const said = () => lines.filter((line) => line.startsWith('warn'));
    for (let i = 0; i < 1000; i++) requests.failed(denied, message('/v1/kv/a'), '');
    assert.equal(said().length, 10);
    await clock.advance(60_000);
    requests.failed(denied, message('/v1/kv/a'), '');
    assert.equal(said().length, 12);
    assert.equal(said()[10], 'warn http: others were refused: count=990');
  });

  it('is one line in a minute where too much is asked at once, with how many went before', async () => {
    const { requests, lines, clock } = start();
    const busy = new ProconsulError('busy', 'Too many reads');
    const said = () => lines.filter((line) => line.startsWith('warn'));
    for (let i = 0; i < 1000; i++) requests.failed(busy, message('/v1/kv/a'), '');
    const first = 'warn http: too much is asked at once: method=PUT path=/v1/kv/a from=10.0.0.7';
    assert.deepEqual(said(), [`${first} why="Too many reads"`]);
    await clock.advance(60_000);
    requests.failed(busy, message('/v1/kv/a'), '');
    assert.deepEqual(said().slice(1), [`${first} why="Too many reads" before=999`]);
  });

  it('is two hundred lines of those that are done in a second, and then how many they were', async () => {
    const { requests, lines, clock } = start(true);
    for (let i = 0; i < 1000; i++) requests.finished(message('/v1/kv/a'), 200, 0.4);
    assert.equal(lines.length, 200);
    await clock.advance(1000);
    requests.finished(message('/v1/kv/a'), 200, 0.4);
    assert.equal(lines[200], 'info agent.http: Requests finished without a line: count=800');
    assert.equal(lines.length, 202);
  });

  it('is nothing of one that is done, but where somebody reads at debug', () => {
    const quiet = start();
    quiet.requests.finished(message('/v1/kv/a'), 200, 0.4);
    assert.deepEqual(quiet.lines, []);
    const loud = start(true);
    loud.requests.finished(message('/v1/kv/a?token=canary'), 200, 0.4);
    assert.deepEqual(loud.lines, [
      'info agent.http: Request finished: method=PUT url=/v1/kv/a from=10.0.0.7 status=200 latency=0.400ms',
    ]);
  });
});
