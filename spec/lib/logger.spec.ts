import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { tapLog } from '../../lib/log-tap.ts';
import { createLogger, type Fields } from '../../lib/logger.ts';

describe('a line of the log', () => {
  /** What one line comes to, without the time. */
  function lineOf(json: boolean, line: string, fields?: Fields): string {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = createLogger({ level: 'info', json, stream, console: false });
    logger.warn(line, fields);
    logger.close();
    assert.equal(lines.length, 1);
    return lines[0] ?? '';
  }

  it("has Consul's form: time, level, who speaks, and fields at the end", () => {
    assert.match(
      lineOf(false, 'agent: Synced service', { service: 'web', of: 'a b', none: undefined }),
      /^\d{4}-\d\d-\d\dT[\d:.]+Z \[WARN\] {2}agent: Synced service: service=web of="a b"\n$/,
    );
  });

  it("has Consul's names in JSON, with each field by its own", () => {
    const fields = { check: 'c1', count: 3, done: true };
    const { '@timestamp': time, ...rest } = JSON.parse(
      lineOf(true, 'server.x: a: b', fields),
    ) as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(rest, {
      '@level': 'warn',
      '@message': 'a: b',
      '@module': 'server.x',
      ...fields,
    });
  });

  it('is one line, whoever named what is in it', () => {
    const forged = 'x\n2026-01-01T00:00:00.000Z [ERROR] agent: all is lost\u001b[2J\u2028';
    for (const json of [false, true]) {
      const line = lineOf(json, `agent: ${forged}`, { service: forged });
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.ok(!line.includes('\u001b') && !line.includes('\r'));
    }
  });

  it('is not made where nobody reads its level, and is as soon as somebody does', () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = createLogger({ level: 'info', json: false, stream, console: false });
    let made = 0;
    const fields = {
      get costly() {
        made++;
        return 1;
      },
    };
    logger.debug('agent: x', fields);
    assert.equal(made, 0);
    const end = tapLog(logger, { level: 'debug', json: false }, (line) => lines.push(line));
    logger.debug('agent: x', fields);
    end();
    logger.debug('agent: x', fields);
    logger.close();
    assert(made > 0);
    assert.equal(lines.length, 1);
  });

  it('is said to be read by somebody, or by nobody, whenever that changes', () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    const logger = createLogger({ level: 'info', json: false, stream, console: false });
    const seen = [logger.isDebugEnabled()];
    const ends = ['info', 'debug'].map((level) => {
      const end = tapLog(logger, { level, json: false }, () => undefined);
      seen.push(logger.isDebugEnabled());
      return end;
    });
    for (const end of ends) {
      end();
      seen.push(logger.isDebugEnabled());
    }
    logger.level = 'debug';
    seen.push(logger.isDebugEnabled());
    logger.close();
    assert.deepEqual(seen, [false, false, true, true, false, true]);
  });
});
