/** A new token, policy, role or auth method. */
import '../style/access.css';
import { mayWriteAccess } from '../core/access.ts';
import type { Given } from '../core/path.ts';
import { useAllowed } from '../core/rights.ts';
import { PolicyForm, RoleForm, TokenForm } from '../ui/access-forms.tsx';
import { MethodForm } from '../ui/access-method-form.tsx';
import { Empty } from '../ui/empty.tsx';
import { Heading } from '../ui/heading.tsx';
import { LogIn } from '../ui/shown.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { shellWords } from '../words/shell-words.ts';
import { uiWords } from '../words/ui-words.ts';

function MayNot() {
  const { mayNot, mayNotHint } = uiWords.value;
  return (
    <Empty title={mayNot} hint={mayNotHint}>
      <LogIn />
    </Empty>
  );
}

export function Page({ kind = '' }: Given) {
  const say = accessFormWords.value;
  const may = useAllowed(mayWriteAccess);
  const forms = {
    tokens: { title: say.newToken, form: <TokenForm token={undefined} /> },
    policies: { title: say.newPolicy, form: <PolicyForm policy={undefined} /> },
    roles: { title: say.newRole, form: <RoleForm of={undefined} /> },
    methods: { title: say.newMethod, form: <MethodForm method={undefined} /> },
  };
  const found = Object.entries(forms).find(([name]) => name === kind)?.[1];
  if (found === undefined) {
    const { noSuchPage, noSuchPageHint } = shellWords.value;
    return (
      <>
        <Heading title={noSuchPage} />
        <p>{noSuchPageHint}</p>
      </>
    );
  }
  return (
    <>
      <Heading title={found.title} />
      {may === false ? <MayNot /> : found.form}
    </>
  );
}
