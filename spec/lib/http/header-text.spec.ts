import assert from 'node:assert/strict';
import { validateHeaderValue } from 'node:http';
import { fromHeaderText, headerText } from '../../../lib/http/header-text.ts';

describe('a name in a header', () => {
  for (const name of ['n1', 'büro', '日本', 'a b', ' a', 'a\nb', '50%', '%41', '\0', '']) {
    it(`arrives as it was sent: ${JSON.stringify(name)}`, () => {
      const header = headerText(name);
      validateHeaderValue('X-Name', header);
      assert.equal(fromHeaderText(header), name);
    });
  }

  it('can be written whatever it is', () => {
    validateHeaderValue('X-Name', headerText('\ud800'));
  });

  it('is taken as it stands from whoever does not encode', () => {
    assert.equal(fromHeaderText('50%'), '50%');
  });
});
