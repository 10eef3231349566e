"""Stand-in for jaxtyping where it is not installed: shapes in types are not checked."""

from typing import Any


class _Shaped:
    def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
        return item[0]


Bool = Float = Int = Int32 = Int64 = Integer = Num = Shaped = UInt8 = _Shaped
