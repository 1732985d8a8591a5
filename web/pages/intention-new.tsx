/** A new intention; whoever leads here may say of whom. */
import '../style/intentions.css';
import { useLive } from '../core/live.ts';
import { go, href, query } from '../core/router.ts';
import { Heading } from '../ui/heading.tsx';
import { IntentionForm } from '../ui/intention-form.tsx';
import { intentionWords } from '../words/intention-words.ts';

export function Page() {
  const services = useLive<Readonly<Record<string, readonly string[]>>>('/v1/catalog/services');
  return (
    <>
      <Heading title={intentionWords.value.new} />
      <IntentionForm
        row={undefined}
        source={query.value.get('source') ?? ''}
        destination={query.value.get('destination') ?? ''}
        names={Object.keys(services.value ?? {})}
        onDone={(from, to) => go(href('intentions', from, to), { replaces: true })}
        onCancel={() => go(href('intentions'), { replaces: true })}
      />
    </>
  );
}
