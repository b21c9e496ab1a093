ALTER DATABASE @db@ SET timezone TO 'Pacific/Auckland';
