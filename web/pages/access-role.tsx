/** One role: what it stands for, who has it, and how it is changed. */
import '../style/access.css';
import {
  deleteRole,
  mayReadAccess,
  mayWriteAccess,
  type RoleRow,
  type TokenRow,
  writeRole,
} from '../core/access.ts';
import { upon } from '../core/actions.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { datacenter } from '../core/router.ts';
import { draftOfRole, RoleForm } from '../ui/access-forms.tsx';
import { Holders } from '../ui/access-holders.tsx';
import { asksToEdit, edit, isId, Kind, Thing, toList } from '../ui/access-thing.tsx';
import { askFirst } from '../ui/asked.tsx';
import { useEdited } from '../ui/edited.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { GrantLinks } from '../ui/grants.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ id = '' }: Given) {
  const of = encodeURIComponent(id);
  const path = isId(id) ? `/v1/acl/role/${of}` : '';
  const [live, note] = useEdited(useLive<RoleRow>(path), asksToEdit(), useMay(mayReadAccess));
  const tokens = useLive<readonly TokenRow[]>(isId(id) ? `/v1/acl/tokens?role=${of}` : '');
  const mayWrite = useMay(mayWriteAccess);
  const isEditing = asksToEdit() && mayWrite;
  const { value } = live;
  const has = accessWords.value.has(tokens.value?.length ?? 0, 0);
  return (
    <>
      <Heading title={value?.Name ?? id} beside={<Kind kind="roles" />}>
        {value !== undefined && !isEditing && (
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
      <Thing kind="roles" of={live} isId={isId(id)}>
        {(role) =>
          isEditing ? (
            <RoleForm of={role} />
          ) : (
            <>
              <Facts facts={factsOf(role)} />
              <Holders tokens={tokens} />
            </>
          )
        }
      </Thing>
    </>
  );
}

function factsOf(role: RoleRow): readonly Fact[] {
  const say = accessWords.value;
  return [
    ...(role.Description === '' ? [] : [[say.description, role.Description] as const]),
    [say.gives, <GrantLinks key="gives" of={role} />],
    [say.id, <code key="id">{role.ID}</code>],
  ];
}

function askDelete(role: RoleRow, has: string): void {
  const say = accessFormWords.peek();
  const dc = datacenter.peek();
  const action = upon(deleteRole(role), role);
  askFirst({
    title: say.deleteRole,
    text: say.deleteRoleText(has),
    action,
    verb: say.deleteRole,
    done: say.deleted(role.Name),
    undo: {
      action: () => writeRole(undefined, draftOfRole(role), dc),
      at: action.path,
      left: 'nothing',
    },
    leads: () => toList('roles'),
  });
}
