import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { shellText } from '../../web/core/shell.ts';

describe('a command to copy', () => {
  it('holds words that a shell reads as they are, whatever is in them', () => {
    const words = ["a'b", '$(id)', '`id`', '; id', '-x', '@f', 'a b', '', '\\', '"', '\n', '键/*'];
    const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellText(...words)}`]).toString();
    assert.deepEqual(printed.split('\0').slice(0, -1), words);
  });
});
