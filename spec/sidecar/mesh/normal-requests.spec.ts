import assert from 'node:assert/strict';
import type { Head } from '../../../sidecar/http/head.ts';
import { normalIn } from '../../../sidecar/mesh/normal-requests.ts';

const head = (path: string, fields: readonly string[] = []): Head => ({
  ...{ path, fields, method: 'GET', authority: 'x', length: 0 },
  ...{ takesTrailers: false, upgrade: '' },
});
const said = (RequestNormalization: object) =>
  normalIn([{ Kind: 'mesh', HTTP: { Incoming: { RequestNormalization } } }]);
const pathsBy = (rules: object, paths: readonly string[]) =>
  paths.map((path) => {
    const normal = said(rules)(head(path));
    return normal === 'unclear' ? normal : normal.path;
  });

describe('requests as the mesh wants them written', () => {
  const PATHS = ['/a/../b?/../c', '/a%2f%2e%2fb', '/a//b', '/a\\b', '/plain'];

  it('stay as they came where it says nothing', () => {
    for (const json of [undefined, [], [{ Kind: 'mesh' }], [{ HTTP: { Incoming: {} } }]]) {
      const asked = head('/a/../%2f//b', ['x_y', '1']);
      assert.equal(normalIn(json)(asked), asked);
    }
  });

  it('have no dots, and slashes as it says', () => {
    const MergeSlashes = true;
    const by = (PathWithEscapedSlashesAction: string) => ({ PathWithEscapedSlashesAction });
    assert.deepEqual(pathsBy({ MergeSlashes }, PATHS), [
      ...['/b?/../c', '/a%2f.%2fb', '/a/b', '/a/b', '/plain'],
    ]);
    assert.deepEqual(pathsBy(by('KEEP_UNCHANGED'), PATHS), [
      ...['/b?/../c', '/a%2f.%2fb', '/a//b', '/a/b', '/plain'],
    ]);
    assert.deepEqual(pathsBy(by('REJECT_REQUEST'), PATHS), [
      ...['/b?/../c', 'unclear', '/a//b', '/a/b', '/plain'],
    ]);
    for (const action of ['UNESCAPE_AND_FORWARD', 'UNESCAPE_AND_REDIRECT'])
      assert.deepEqual(pathsBy(by(action), PATHS), [
        ...['/b?/../c', '/a/b', '/a//b', '/a/b', '/plain'],
      ]);
    const InsecureDisablePathNormalization = true;
    assert.deepEqual(pathsBy({ InsecureDisablePathNormalization }, PATHS), PATHS);
  });

  it('have no headers with underscores, or are refused for them', () => {
    const asked = head('/', ['x_y', '1', 'x-y', '2']);
    const by = (HeadersWithUnderscoresAction: string) =>
      said({ HeadersWithUnderscoresAction })(asked);
    assert.equal(by('ALLOW'), asked);
    assert.equal(by('REJECT_REQUEST'), 'unclear');
    assert.deepEqual(by('DROP_HEADER'), { ...asked, fields: ['x-y', '2'] });
  });
});
