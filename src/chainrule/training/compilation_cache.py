"""JAX's persistent compilation cache, so that a program is compiled once per machine, not per process."""

import os
from pathlib import Path

import jax

OFF = ("0", "off", "no", "false")


def switch_on() -> None:
    """Keep compiled programs in the user's cache folder.

    ``CHAINRULE_CACHE`` names another folder, or switches the cache off by ``off``. Where JAX was told
    already (``JAX_COMPILATION_CACHE_DIR`` or its configuration), that holds.
    """
    wish = os.environ.get("CHAINRULE_CACHE", "")
    told = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if wish.lower() in OFF or told is not None:
        return
    if wish:
        folder = Path(wish)
    else:
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("chainrule", appauthor=False)) / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):  # a home that cannot be written to only costs time
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
