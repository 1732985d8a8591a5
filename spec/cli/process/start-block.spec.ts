import assert from 'node:assert/strict';
import { configHost } from '../../../cli/process/config-host.ts';
import { firstSteps } from '../../../cli/process/start-block.ts';
import { loadConfig } from '../../../lib/config/load.ts';

function stepsOf(...argv: string[]): string {
  const { config } = loadConfig({ argv, host: configHost, redisUrl: undefined });
  return firstSteps(config);
}

describe('the last lines of a start', () => {
  it('tell whoever tries it out what to do next', () => {
    const lines = stepsOf('-dev').split('\n');
    assert.ok(lines.includes('      proconsul members'));
    assert.ok(lines.includes('      curl http://127.0.0.1:8500/v1/catalog/service/web'));
  });

  it('say where it is, where that is no usual place', () => {
    const lines = stepsOf('-dev', '-client=0.0.0.0', '-http-port=9500').split('\n');
    assert.ok(lines.includes('      proconsul members -http-addr=127.0.0.1:9500'));
  });

  it('are none for others, who know, and where nothing listens', () => {
    assert.equal(stepsOf('-server', '-bootstrap', '-data-dir=/tmp', '-bind=127.0.0.1'), '');
    assert.equal(stepsOf('-dev', '-http-port=-1'), '');
  });
});
