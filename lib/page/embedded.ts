/** The page's files within the program, in base64 by name: a program in one file has no folder beside it. */
export const EMBEDDED: Readonly<Record<string, string>> | undefined = undefined;
