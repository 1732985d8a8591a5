/** Which language a reader wants: the one chosen here before, else what the browser says. */
import { effect } from '@preact/signals';
import { stored } from '../core/stored.ts';
import { isLanguage, type Language, language, languageFor, locale } from './words.ts';

const chosen = stored('language');

export function startLanguage(): void {
  const known = chosen.read();
  language.value = isLanguage(known) ? known : languageFor(navigator.languages);
  effect(() => {
    document.documentElement.lang = locale.value;
  });
}

export function chooseLanguage(wanted: Language): void {
  chosen.write(wanted);
  language.value = wanted;
}
