import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNewFiles } from '../../cli/new-files.ts';

describe('files that a command makes', () => {
  it('are all there or none of them, so that the next attempt finds no half', () => {
    const folder = mkdtempSync(join(tmpdir(), 'new-files-'));
    const file = (path: string) => ({ path, text: 'x', isSecret: true });
    try {
      const nowhere = join(folder, 'nowhere/key.pem');
      assert.throws(() => writeNewFiles([file(join(folder, 'ca.pem')), file(nowhere)]), {
        code: 'invalid',
        message: /no such file or directory/,
      });
      assert.deepEqual(readdirSync(folder), []);
      writeNewFiles([file(join(folder, 'ca.pem')), file(join(folder, 'key.pem'))]);
      assert.deepEqual(readdirSync(folder).sort(), ['ca.pem', 'key.pem']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
