/** An event that is to be fired: what it says, and who is to hear of it. */
import { useEffect, useState } from 'preact/hooks';
import { type Firing, fire } from '../core/events.ts';
import { useAllowed } from '../core/rights.ts';
import { eventWords } from '../words/event-words.ts';
import { Dialog } from './dialog.tsx';
import { Area, Field, Form, useDraft } from './form.tsx';
import { tell } from './toasts.tsx';

const NOTHING: Firing = { name: '', payload: '', node: '', service: '', tag: '' };
const CALM_MS = 250;

export function FireEvent() {
  const say = eventWords.value;
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" class="main" onClick={() => setOpen(true)}>
        {say.fire}
      </button>
      {isOpen && (
        <Dialog title={say.fire} onClose={close}>
          <FiringForm onClose={close} />
        </Dialog>
      )}
    </>
  );
}

function FiringForm({ onClose }: { readonly onClose: () => void }) {
  const say = eventWords.value;
  const draft = useDraft<Firing>('event', NOTHING, 0);
  const { value: firing, change } = draft;
  const { name, payload, node, service, tag } = firing;
  const may = useAllowed({ Resource: 'event', Access: 'write', Segment: useCalm(name) });
  const isReady = name !== '' && may === true && (tag === '' || service !== '');
  const done = () => {
    onClose();
    tell(say.fired(name));
  };
  return (
    <Form
      label={say.fire}
      action={isReady ? fire(firing) : undefined}
      verb={say.verb}
      draft={draft}
      onDone={done}
      onCancel={onClose}
    >
      <p>{say.noWayBack}</p>
      <Field label={say.name} value={name} onWrite={(text) => change({ name: text })} />
      {name !== '' && may === false && (
        <p class="problem" role="alert">
          {say.mayNot(name)}
        </p>
      )}
      <Area label={say.payload} value={payload} onWrite={(text) => change({ payload: text })} />
      <Field
        label={say.node}
        value={node}
        hint={say.pattern}
        onWrite={(text) => change({ node: text })}
      />
      <Field
        label={say.service}
        value={service}
        hint={say.pattern}
        onWrite={(text) => change({ service: text })}
      />
      <Field
        label={say.tag}
        value={tag}
        hint={say.tagHint}
        onWrite={(text) => change({ tag: text })}
      />
    </Form>
  );
}

/** What it was when somebody last paused: a server is not asked at each key. */
function useCalm(text: string): string {
  const [calm, setCalm] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(text), CALM_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return calm;
}
