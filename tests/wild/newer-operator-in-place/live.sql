SET ROLE @owner@;
CREATE OPERATOR <+> (FUNCTION = plus, LEFTARG = int, RIGHTARG = int); 
