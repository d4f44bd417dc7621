"""The translation server: native, LibreTranslate-compatible and DeepL-compatible routes over one service."""
