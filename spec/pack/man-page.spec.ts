import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { COMMANDS, type CommandNode } from '../../cli/command-tree.ts';
import { manPage } from '../../pack/man-page.ts';

function leaves(node: CommandNode, words: readonly string[] = []): string[] {
  if (!('commands' in node)) return [words.join(' ')];
  return [...node.commands].flatMap(([name, next]) => leaves(next, [...words, name]));
}

describe('the manual page', () => {
  it('has a section for every command, and nothing that would be a request by accident', async () => {
    const page = await manPage('1.2.3');
    const missing = leaves(COMMANDS).filter(
      (name) => !page.includes(`.SS proconsul ${name.replaceAll('-', '\\-')}`),
    );
    assert.deepEqual(missing, []);
    const requests = new Set(page.match(/^[.'](\S+)/gm));
    const known = '.B .BR .I .PP .RE .RS .SH .SS .TH .TP .fi .nf';
    assert.deepEqual([...requests].sort(), known.split(' ').sort());
  });

  it('is what man can show, where there is one', async function () {
    const page = await manPage('1.2.3');
    try {
      execFileSync('groff', ['--version'], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    const args = ['-man', '-Tutf8', '-ww', '-z'];
    const said = execFileSync('groff', args, { input: page, stdio: 'pipe' }).toString();
    assert.equal(said, '');
  });
});
