/** One auth method: whom it believes, what its rules give, and how it is changed. */
import '../style/access.css';
import {
  type BindingRuleRow,
  type MethodRow,
  mayWriteAccess,
  type TokenRow,
} from '../core/access.ts';
import { deleteMethod } from '../core/access-methods.ts';
import { upon } from '../core/actions.ts';
import { writeJson } from '../core/exact-json.ts';
import { useLive } from '../core/live.ts';
import type { Given } from '../core/path.ts';
import { useMay } from '../core/rights.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { BindingRules } from '../ui/access-binding-rules.tsx';
import { MethodForm } from '../ui/access-method-form.tsx';
import { asksToEdit, edit, Kind, Thing, toList } from '../ui/access-thing.tsx';
import { askFirst } from '../ui/asked.tsx';
import { useEdited } from '../ui/edited.tsx';
import { type Fact, Facts } from '../ui/facts.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import { Shown } from '../ui/shown.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';
import { uiWords } from '../words/ui-words.ts';

export function Page({ id = '' }: Given) {
  const say = accessWords.value;
  const of = encodeURIComponent(id);
  const [live, note] = useEdited(useLive<MethodRow>(`/v1/acl/auth-method/${of}`), asksToEdit());
  const rules = useLive<readonly BindingRuleRow[]>(`/v1/acl/binding-rules?authmethod=${of}`);
  const tokens = useLive<readonly TokenRow[]>(`/v1/acl/tokens?authmethod=${of}`);
  const mayWrite = useMay(mayWriteAccess);
  const isEditing = asksToEdit() && mayWrite;
  const { value } = live;
  return (
    <>
      <Heading title={value?.DisplayName ?? id} beside={<Kind kind="methods" />}>
        {value !== undefined && !isEditing && (
          <May right={mayWriteAccess}>
            <button type="button" onClick={() => edit(true)}>
              {uiWords.value.edit}
            </button>
            <button type="button" onClick={() => askDelete(value)}>
              {uiWords.value.delete}
            </button>
          </May>
        )}
      </Heading>
      {note}
      <Thing kind="methods" of={live}>
        {(method) =>
          isEditing ? (
            <MethodForm method={method} />
          ) : (
            <>
              <Facts facts={factsOf(method, tokens.value?.length)} />
              <h2>{say.bindingRules}</h2>
              <Shown of={rules}>
                {(all) => <BindingRules method={method.Name} rules={all} mayWrite={mayWrite} />}
              </Shown>
              <h2>{say.config}</h2>
              <pre class="rules">{writeJson(withoutSecrets(method.Config ?? {}), 2)}</pre>
            </>
          )
        }
      </Thing>
    </>
  );
}

function factsOf(method: MethodRow, given: number | undefined): readonly Fact[] {
  const say = accessWords.value;
  const { Name, Type, Description = '', MaxTokenTTL, TokenLocality } = method;
  return [
    [say.name, <code key="name">{Name}</code>],
    [say.type, accessFormWords.value.types[typeOf(Type)]],
    ...(Description === '' ? [] : [[say.description, Description] as const]),
    [say.maxTtl, MaxTokenTTL ?? say.endless],
    [say.scope, TokenLocality === 'global' ? say.everywhere : say.here],
    ...(given === undefined ? [] : [[say.tokens, say.tokensGiven(given)] as const]),
  ];
}

function typeOf(type: string): keyof typeof accessFormWords.value.types {
  return type === 'oidc' || type === 'kubernetes' ? type : 'jwt';
}

function askDelete(method: MethodRow): void {
  const say = accessFormWords.peek();
  askFirst({
    title: say.deleteMethod,
    text: say.deleteMethodText,
    action: upon(deleteMethod(method), method),
    verb: say.deleteMethod,
    done: say.deleted(method.Name),
    isGrave: true,
    leads: () => toList('methods'),
  });
}
