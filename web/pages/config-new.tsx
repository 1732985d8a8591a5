/** A new config entry; whoever leads here may say of which kind, and of what. */
import '../style/config.css';
import { go, href, query } from '../core/router.ts';
import { NewEntry } from '../ui/config-form.tsx';
import { Heading } from '../ui/heading.tsx';
import { configWords } from '../words/config-words.ts';

export function Page() {
  return (
    <>
      <Heading title={configWords.value.new} />
      <NewEntry
        kind={query.value.get('kind') ?? ''}
        name={query.value.get('name') ?? ''}
        onDone={(kind, name) => go(href('config', kind, name), { replaces: true })}
        onCancel={() => go(href('config'), { replaces: true })}
      />
    </>
  );
}
