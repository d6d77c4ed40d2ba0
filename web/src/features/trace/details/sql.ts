// The layout of SQL: loaded when the first statement is shown.

import { formatDialect, mysql, postgresql } from 'sql-formatter';

export function layOut(statement: string, dialect: 'mysql' | 'postgresql'): string {
  return formatDialect(statement, {
    dialect: dialect === 'mysql' ? mysql : postgresql,
    keywordCase: 'preserve',
    tabWidth: 2,
  });
}
