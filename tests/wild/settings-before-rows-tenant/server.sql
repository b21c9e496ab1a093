ALTER DATABASE @db@ SET "app.tenant" = '7';
ALTER DATABASE @db@ SET datestyle = 'German';
