// The roles of the cabinet, as the schema names them.
export const ROLES = [
  'VISITOR',
  'CITIZEN',
  'DOCTOR',
  'NURSE',
  'ADMIN',
  'ANALYST',
  'INSPECTOR',
  'OPERATOR',
] as const;

export type Role = (typeof ROLES)[number];
