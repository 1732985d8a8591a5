import assert from 'node:assert/strict';
import { shownWords } from '../../cli/shown-words.ts';

describe('what ps shows of an agent', () => {
  const cases: readonly (readonly [string[], string | undefined])[] = [
    [['node', 'main.js', 'agent', '-dev'], undefined],
    [['agent', '-encrypt=S3cret=='], 'agent -encrypt=hidden'],
    [['agent', '--encrypt', 'S3cret==', '-dev'], 'agent --encrypt hidden -dev'],
    [['agent', '-hcl=encrypt = "S3cret"'], 'agent -hcl=hidden'],
    [['agent', '-hcl', 'redis { url = "redis://u:p@h" }'], 'agent -hcl hidden'],
    [['agent', '-redis=redis://u:p@h'], 'agent -redis=hidden'],
    [['agent', '-redis=redis://h'], undefined],
    [['agent', '-hcl=log_level = "warn"'], undefined],
  ];
  for (const [words, shown] of cases) {
    it(`is no secret: ${words.join(' ')}`, () => assert.equal(shownWords(words), shown));
  }
});
