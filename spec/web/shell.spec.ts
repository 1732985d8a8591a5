import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { commandText, shellText } from '../../web/core/shell.ts';

describe('a command to copy', () => {
  it('holds words that a shell reads as they are, whatever is in them', () => {
    const words = ["a'b", '$(id)', '`id`', '; id', '-x', '@f', 'a b', '', '\\', '"', '\n', '键/*'];
    const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellText(...words)}`]).toString();
    assert.deepEqual(printed.split('\0').slice(0, -1), words);
  });

  it('shows what is not seen, and presses no key where it is pasted', () => {
    const words = [
      'a\u0003\nid',
      '\u001b[201~',
      'a\tb',
      '\r',
      "\u202eb'\\n",
      '\u007f',
      'é\u200b1',
      '\u009b7',
      '=',
    ];
    const text = shellText(...words);
    assert.match(text, /^[ -~é]*$/);
    const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${text}`]).toString();
    assert.deepEqual(printed.split('\0').slice(0, -1), words);
    assert.equal(shellText('=ls', 'a=b'), "'=ls' a=b");
    assert.deepEqual([...shellText("\u200b'; id; #\\'").matchAll(/'/g)].length, 2);
  });

  it('takes no name for a flag, which would send the token of whoever pastes it elsewhere', () => {
    const name = '-http-addr=http://evil:80';
    const command = { words: ['intention', 'delete'], args: [name, 'db'] };
    assert.equal(commandText(command), `proconsul intention delete -- ${name} db`);
    const plain = { ...command, args: ['web', 'db'] };
    assert.equal(commandText(plain), 'proconsul intention delete web db');
    assert.equal(commandText({ words: ['acl', 'bootstrap'] }), 'proconsul acl bootstrap');
  });
});
