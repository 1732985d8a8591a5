/** What one's own token comes to: by kind of thing, and for a name. */
import { useState } from 'preact/hooks';
import type { Right } from '../core/right.ts';
import { useAllowed } from '../core/rights.ts';
import { accessWords } from '../words/access-words.ts';
import { Choice, Field } from './form.tsx';

/** Those that are asked about by name are so. */
const RESOURCES = [
  'acl',
  'agent',
  'event',
  'intention',
  'key',
  'keyring',
  'node',
  'operator',
  'query',
  'service',
  'session',
] as const;

export function Rights() {
  const say = accessWords.value;
  return (
    <section class="rights">
      <h2>{say.comesTo}</h2>
      <p class="aside">{say.comesToHint}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{say.resource}</th>
            <th scope="col">{say.reads}</th>
            <th scope="col">{say.writes}</th>
          </tr>
        </thead>
        <tbody>
          {RESOURCES.map((name) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>
                <Answer Resource={name} Access="read" />
              </td>
              <td>
                <Answer Resource={name} Access="write" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <AskMay />
    </section>
  );
}

function Answer(right: Right) {
  const say = accessWords.value;
  return answerOf(useAllowed(right), { yes: say.yes, no: say.no });
}

function answerOf(may: boolean | undefined, words: { readonly yes: string; readonly no: string }) {
  if (may === undefined) return <>…</>;
  return may ? <span class="may">✓ {words.yes}</span> : <span class="may-not">✗ {words.no}</span>;
}

type Access = Right['Access'];
const ACCESSES = { read: 'read', write: 'write' };
const KEY_ACCESSES = { read: 'read', list: 'list', write: 'write' };
const NAMED = Object.fromEntries(RESOURCES.map((name) => [name, name])) as Readonly<
  Record<(typeof RESOURCES)[number], string>
>;

function AskMay() {
  const say = accessWords.value;
  const [resource, setResource] = useState<(typeof RESOURCES)[number]>('service');
  const [access, setAccess] = useState<Access>('read');
  const [name, setName] = useState('');
  // Keys alone are listed.
  const asked = access === 'list' && resource !== 'key' ? 'read' : access;
  const may = useAllowed({ Resource: resource, Access: asked, Segment: name });
  return (
    <form class="may-i" aria-label={say.may} onSubmit={(event) => event.preventDefault()}>
      <h3>{say.may}</h3>
      <Choice<Access>
        label={say.access}
        value={asked}
        of={resource === 'key' ? KEY_ACCESSES : ACCESSES}
        onChoose={setAccess}
      />
      <Choice label={say.resource} value={resource} of={NAMED} onChoose={setResource} />
      <Field label={say.mayName} value={name} onWrite={setName} />
      <output>{answerOf(may, { yes: say.mayYes, no: say.mayNo })}</output>
    </form>
  );
}
