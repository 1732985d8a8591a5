/** What is to be decided of the calls of one service to another. */
import {
  ANY,
  type Decision,
  deleteIntention,
  draftOfIntention,
  exactPath,
  type IntentionDraft,
  type IntentionRow,
  makeIntention,
  PERMISSIONS_START,
  restoreIntention,
  whileItSays,
  writeIntention,
} from '../core/mesh.ts';
import { useAllowed } from '../core/rights.ts';
import type { Done } from '../core/way-back.ts';
import { intentionWords } from '../words/intention-words.ts';
import { uiWords } from '../words/ui-words.ts';
import { tellDone } from './asked.tsx';
import { nameOf } from './decision.tsx';
import { Area, Choice, Field, Form, useDraft } from './form.tsx';

interface IntentionFormProps {
  /** Undefined of a new one. */
  readonly row: IntentionRow | undefined;
  /** Who is meant of a new one, where somebody has said so. */
  readonly source?: string;
  readonly destination?: string;
  readonly names?: readonly string[];
  readonly onDone: (source: string, destination: string) => void;
  readonly onCancel: () => void;
}

export function IntentionForm(props: IntentionFormProps) {
  const { row, source = '', destination = '', names = [], onDone, onCancel } = props;
  const say = intentionWords.value;
  const fresh: IntentionDraft = {
    ...{ source, destination, decision: 'allow' as const, description: '' },
    permissions: PERMISSIONS_START,
  };
  const named = row === undefined ? 'new intention' : 'intention';
  const ends = [row?.SourceName ?? source, row?.DestinationName ?? destination];
  const draft = useDraft(
    [named, ...ends].join('\0'),
    row === undefined ? fresh : draftOfIntention(row),
    row?.ModifyIndex ?? 0,
  );
  const { value, change } = draft;
  const may = useAllowed({
    Resource: 'intention',
    Access: 'write',
    Segment: value.destination,
  });
  const action = row === undefined ? makeIntention(value) : changeIntention(value, row);
  const done = (saved: Done) => {
    const [from, to] = [value.source, value.destination];
    const named = { SourceName: from, DestinationName: to };
    onDone(from, to);
    void tellDone(say.saved(nameOf(from), nameOf(to)), saved, {
      action: () => (row === undefined ? deleteIntention(named) : restoreIntention(row)),
      at: exactPath(from, to),
      left: 'sent',
    });
  };
  const isSure = may !== false || value.destination === '';
  return (
    <Form
      label={row === undefined ? say.new : uiWords.value.edit}
      verb={uiWords.value.save}
      action={isSure ? action : undefined}
      draft={draft}
      onDone={done}
      onCancel={onCancel}
    >
      {row === undefined && <Ends value={value} names={names} onChange={change} />}
      {!isSure && <p class="partial">{say.mayNotWrite(nameOf(value.destination))}</p>}
      <Choice<Decision>
        label={say.decision}
        value={value.decision}
        of={say.decisions}
        onChoose={(decision) => change({ decision })}
      />
      {row?.JWT !== undefined && (
        <p class="partial">{say.userToken(say.decisions[value.decision])}</p>
      )}
      {value.decision === 'requests' && (
        <Area
          label={say.permissions}
          hint={say.permissionsHint}
          value={value.permissions}
          onWrite={(permissions) => change({ permissions })}
        />
      )}
      {action === undefined && value.source !== '' && value.destination !== '' && (
        <p class="form-problem" role="status">
          {say.notJson}
        </p>
      )}
      <Field
        label={say.description}
        value={value.description}
        onWrite={(description) => change({ description })}
      />
    </Form>
  );
}

function changeIntention(value: IntentionDraft, row: IntentionRow) {
  const action = writeIntention(value, row.Meta);
  return action && whileItSays(action, row);
}

interface EndsProps {
  readonly value: IntentionDraft;
  readonly names: readonly string[];
  readonly onChange: (part: Partial<IntentionDraft>) => void;
}

function Ends({ value, names, onChange }: EndsProps) {
  const say = intentionWords.value;
  return (
    <>
      <Field
        label={say.from}
        hint={say.anyHint}
        value={value.source}
        offers={[ANY, ...names]}
        onWrite={(source) => onChange({ source })}
      />
      <Field
        label={say.to}
        hint={say.anyHint}
        value={value.destination}
        offers={[ANY, ...names]}
        onWrite={(destination) => onChange({ destination })}
      />
    </>
  );
}
