ALTER ROLE @admin@ IN DATABASE @db@ SET role = '@owner@';
