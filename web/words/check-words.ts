import { uiWords } from './ui-words.ts';
import { words } from './words.ts';

export const checkWords = words(
  {
    noOutput: 'It has not said anything yet.',
    status: (status: string) => statusInWords(status),
    of: (serviceId: string) => (serviceId === '' ? 'of the node' : ''),
    none: 'No check watches it',
    noneHint: 'What has no checks counts as passing, for as long as its node does.',
  },
  {
    noOutput: '尚无输出。',
    status: (status: string) => statusInWords(status),
    of: (serviceId: string) => (serviceId === '' ? '节点检查' : ''),
    none: '没有检查',
    noneHint: '没有检查的实例，只要其节点正常，就视为正常。',
  },
);

/** A catalog takes any text for a status. */
function statusInWords(status: string): string {
  const { status: known } = uiWords.value;
  return Object.entries(known).find(([name]) => name === status)?.[1] ?? status;
}
