import assert from 'node:assert/strict';
import { Folders, isFolder } from '../../../server/state/folders.ts';

function holding(...keys: string[]): Folders {
  const folders = new Folders();
  keys.forEach((key, i) => {
    folders.countKeys(key, 1);
    folders.changed(key, i + 2);
  });
  return folders;
}

describe('Folders', () => {
  it('finds the innermost folder around a name that holds a key', () => {
    const folders = holding('config/unrelated/z', 'other/thing');
    const around = [
      'config/myapp/',
      'config/myapp/a/b',
      'config/unrelated/y',
      'none',
      'none/',
      '/',
    ];
    assert.deepEqual(
      around.map((name) => folders.around(name)),
      ['config/', 'config/', 'config/unrelated/', '', '', ''],
    );
    assert.equal(folders.around('config/'), '');
    assert.equal(folders.around(''), '');
  });

  it('knows when anything in a folder last changed', () => {
    const folders = holding('config/a', 'config/b/c', 'd');
    assert.deepEqual(
      ['', 'config/', 'config/b/', 'none/'].map((folder) => folders.indexOf(folder)),
      [4, 3, 3, 0],
    );
  });

  it('remembers a folder for as long as a key or what is left of one lies in it', () => {
    const folders = holding('a/b');
    folders.countKeys('a/b', -1);
    folders.countGraves('a/b', 1);
    assert.equal(folders.indexOf('a/'), 2);
    assert.equal(folders.around('a/c'), '');
    folders.countGraves('a/b', -1);
    assert.equal(folders.size, 0);
  });

  it('remembers nothing of a key whose entry was taken back', () => {
    const folders = holding('a/b');
    folders.countKeys('x/y', 1);
    folders.countKeys('x/y', -1);
    folders.countKeys('a/b', -1);
    folders.countKeys('a/b', 1);
    assert.equal(folders.size, 2);
    assert.equal(folders.indexOf('a/'), 2);
  });

  it('tells only so many apart of a name that is all slashes', () => {
    const deep = '/'.repeat(30_000);
    const folders = holding(deep);
    assert(folders.size <= 20);
    assert.equal(isFolder(deep), false);
    assert.equal(isFolder('a/b/'), true);
    assert.equal(folders.around(deep).length, 16);
  });
});
