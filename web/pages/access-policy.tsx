/** One policy: its rules, who has it, and how it is changed. */
import '../style/access.css';
import {
  deletePolicy,
  MANAGEMENT_POLICY,
  mayReadAccess,
  mayWriteAccess,
  type PolicyRow,
  type RoleRow,
  type TokenRow,
  writePolicy,
} from '../core/access.ts';
import { upon } from '../core/actions.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { draftOfPolicy, PolicyForm } from '../ui/access-forms.tsx';
import { Holders } from '../ui/access-holders.tsx';
import { Rules } from '../ui/access-rules.tsx';
import { asksToEdit, edit, isId, Kind, Thing, toList } from '../ui/access-thing.tsx';
import { askFirst } from '../ui/asked.tsx';
import { useEdited } from '../ui/edited.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ id = '' }: Given) {
  const say = accessWords.value;
  const of = encodeURIComponent(id);
  const path = isId(id) ? `/v1/acl/policy/${of}` : '';
  const [live, note] = useEdited(useLive<PolicyRow>(path), asksToEdit(), useMay(mayReadAccess));
  const tokens = useLive<readonly TokenRow[]>(isId(id) ? `/v1/acl/tokens?policy=${of}` : '');
  const roles = useLive<readonly RoleRow[]>(isId(id) ? `/v1/acl/roles?policy=${of}` : '');
  const mayWrite = useMay(mayWriteAccess) && id !== MANAGEMENT_POLICY;
  const isEditing = asksToEdit() && mayWrite;
  const { value } = live;
  const has = say.has(tokens.value?.length ?? 0, roles.value?.length ?? 0);
  return (
    <>
      <Heading title={value?.Name ?? id} beside={<Kind kind="policies" />}>
        {value !== undefined && id !== MANAGEMENT_POLICY && !isEditing && (
          <May right={mayWriteAccess}>
            <button type="button" onClick={() => edit(true)}>
              {uiWords.value.edit}
            </button>
            <button type="button" onClick={() => askDelete(value, has)}>
              {uiWords.value.delete}
            </button>
          </May>
        )}
      </Heading>
      {note}
      <Thing kind="policies" of={live} isId={isId(id)}>
        {(policy) =>
          isEditing ? (
            <PolicyForm policy={policy} />
          ) : (
            <>
              <Facts facts={factsOf(policy)} />
              <h2>{say.rules}</h2>
              <Rules text={policy.Rules ?? ''} />
              <Holders tokens={tokens} roles={roles} />
            </>
          )
        }
      </Thing>
    </>
  );
}

function factsOf({ ID, Description, Datacenters }: PolicyRow): readonly Fact[] {
  const say = accessWords.value;
  return [
    ...(Description === '' ? [] : [[say.description, Description] as const]),
    [say.scope, Datacenters?.join(', ') || say.everywhere],
    [say.id, <code key="id">{ID}</code>],
  ];
}

function askDelete(policy: PolicyRow, has: string): void {
  const say = accessFormWords.peek();
  const action = upon(deletePolicy(policy), policy);
  askFirst({
    title: say.deletePolicy,
    text: say.deletePolicyText(has),
    action,
    verb: say.deletePolicy,
    done: say.deleted(policy.Name),
    undo: {
      action: () => writePolicy('', draftOfPolicy(policy)),
      at: action.path,
      left: 'nothing',
    },
    leads: () => toList('policies'),
  });
}
