/**
 * Writes what is made in docs/api: below each heading what its row says of itself, and the answer of each
 * example that has an empty block below it: `npm run api`. Says of the others which have changed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runExamples } from '../spec/docs/examples.ts';
import { ApiPage } from './api-page.ts';
import { toShow } from './api-shown.ts';
import { allRoutes } from './compat-table.ts';

const FOLDER = new URL('api/', import.meta.url);
const asked = process.argv.slice(2);

for (const name of readdirSync(FOLDER)) {
  if (!name.endsWith('.md') || (asked.length > 0 && !asked.includes(name))) continue;
  const file = new URL(name, FOLDER);
  const page = new ApiPage(new ApiPage(readFileSync(file, 'utf8')).withRows(allRoutes()));
  const lines = [...page.lines];
  const wrong = (await runExamples(page, true)).filter((each) => !each.isAsShown);
  // From the last one, so that the places of those before stay as they are.
  for (const { example, answer } of wrong.reverse()) {
    const isOpen = example.to >= 0 && example.shown === '';
    if (isOpen) lines.splice(example.from, 0, toShow(answer, example.form));
    else {
      const said = `${name}: ${example.command}\n  does not answer what is shown, but ${answer}\n`;
      process.stdout.write(said);
    }
  }
  writeFileSync(file, lines.join('\n'));
}
