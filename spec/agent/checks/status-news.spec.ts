import assert from 'node:assert/strict';
import { StatusNews } from '../../../agent/checks/status-news.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import type { CheckStatus } from '../../../lib/model.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

describe('what the log says of checks', () => {
  function start() {
    const local = new LocalState();
    const logger = new RecordingLogger();
    const news = new StatusNews({ local, node: 'n1', logger });
    const put = (Status: CheckStatus, Output = '') =>
      local.putCheck({
        definition: {
          ...{ CheckID: 'c1', Name: 'web is up', Notes: '', Type: 'http', Definition: {} },
          ...{ ServiceID: 'web', Status, Output },
        },
        spec: undefined,
        token: '',
        source: 'api',
      });
    const found = (status: CheckStatus, output: string) => local.updateCheck('c1', status, output);
    return { local, news, put, found, lines: logger.lines };
  }

  it('is how they stand when that changes, with service, node, and the first line of their output', () => {
    const { put, found, lines } = start();
    put('passing', 'fine');
    found('critical', '\nconnection refused\nat 10.0.0.1');
    found('warning', 'slow');
    found('passing', 'fine');
    assert.deepEqual(lines, [
      'warn agent: Check is now critical: check=c1 service=web node=n1 was=passing output="connection refused"',
      'warn agent: Check is now warning: check=c1 service=web node=n1 was=critical output=slow',
      'info agent: Check is now passing: check=c1 service=web node=n1 was=warning output=fine',
    ]);
  });

  it('is nothing where the same is found again, or another output', () => {
    const { put, found, lines } = start();
    put('passing');
    assert.deepEqual(lines, []);
    found('critical', 'a');
    found('critical', 'b');
    found('critical', 'b');
    put('critical', 'b');
    assert.deepEqual(lines, [
      'warn agent: Check is now critical: check=c1 service=web node=n1 was=passing output=a',
    ]);
  });

  it('is nothing of one that nobody has looked at, and that it is critical once somebody has', () => {
    const { put, found, lines } = start();
    put('critical');
    assert.deepEqual(lines, []);
    found('critical', 'TTL expired');
    assert.deepEqual(lines, [
      'warn agent: Check is now critical: check=c1 service=web node=n1 output="TTL expired"',
    ]);
  });

  it('begins anew for a check that was taken out, and ends with the agent', () => {
    const { local, news, put, found, lines } = start();
    put('passing', 'x');
    local.removeCheck('c1');
    put('critical');
    assert.deepEqual(lines, []);
    news.stop();
    found('critical', 'y');
    assert.deepEqual(lines, []);
  });

  it('is one line, whatever a program has printed', () => {
    const { put, found, lines } = start();
    put('passing', 'x');
    found(
      'critical',
      `2026-01-01T00:00:00.000Z [INFO] "all is well"\u001b[2J\r${'x'.repeat(1000)}`,
    );
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /output="2026-01-01T00:00:00\.000Z \[INFO\] \\"all is well/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is meant
    assert.doesNotMatch(lines[0] ?? '', /[\u0000-\u001f]/);
    assert.ok((lines[0] ?? '').length < 400);
  });
});
