import { count, words } from './words.ts';

export const formWords = words(
  {
    form: 'Read as',
    forms: { text: 'plain text', json: 'JSON', yaml: 'YAML', hcl: 'HCL' },
    isRight: { text: '', json: 'This is JSON.', yaml: 'This is YAML.', hcl: 'This is HCL.' },
    isWrong: {
      text: '',
      json: 'This is no JSON',
      yaml: 'This is no YAML',
      hcl: 'This is no HCL, as Consul reads it',
    },
    at: (line: number, column: number) => `line ${count(line)}, column ${count(column)}`,
    toPlace: 'Show it',
    tooLong: 'It is too long to be checked here.',
    tidy: 'Lay out',
  },
  {
    form: '读作',
    forms: { text: '纯文本', json: 'JSON', yaml: 'YAML', hcl: 'HCL' },
    isRight: { text: '', json: '是 JSON。', yaml: '是 YAML。', hcl: '是 HCL。' },
    isWrong: {
      text: '',
      json: '不是 JSON',
      yaml: '不是 YAML',
      hcl: '不是 Consul 所读的 HCL',
    },
    at: (line: number, column: number) => `第 ${count(line)} 行，第 ${count(column)} 列`,
    toPlace: '定位',
    tooLong: '内容过长，此处不作检查。',
    tidy: '格式化',
  },
);
