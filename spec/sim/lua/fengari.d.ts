/** As much of fengari, a Lua in JavaScript, as the simulated Redis uses. */
declare module 'fengari' {
  type LuaString = Uint8Array;
  type Function = (state: unknown) => number;

  interface Fengari {
    readonly lua: {
      readonly LUA_REGISTRYINDEX: number;
      readonly LUA_TNIL: number;
      readonly LUA_TBOOLEAN: number;
      readonly LUA_TNUMBER: number;
      readonly LUA_TSTRING: number;
      readonly LUA_TTABLE: number;
      lua_type(state: unknown, at: number): number;
      lua_gettop(state: unknown): number;
      lua_settop(state: unknown, top: number): void;
      lua_pushboolean(state: unknown, value: boolean): void;
      lua_pushnumber(state: unknown, value: number): void;
      lua_pushstring(state: unknown, value: LuaString): void;
      lua_pushcfunction(state: unknown, fn: Function): void;
      lua_createtable(state: unknown, items: number, fields: number): void;
      lua_rawseti(state: unknown, at: number, index: number): void;
      lua_rawgeti(state: unknown, at: number, index: number): number;
      lua_setfield(state: unknown, at: number, name: LuaString): void;
      lua_getfield(state: unknown, at: number, name: LuaString): number;
      lua_setglobal(state: unknown, name: LuaString): void;
      lua_toboolean(state: unknown, at: number): boolean;
      lua_tonumber(state: unknown, at: number): number;
      lua_tolstring(state: unknown, at: number): LuaString | null;
      lua_pcall(state: unknown, args: number, results: number, handler: number): number;
      lua_error(state: unknown): never;
    };
    readonly lauxlib: {
      luaL_newstate(): unknown;
      luaL_loadstring(state: unknown, text: LuaString): number;
      luaL_ref(state: unknown, table: number): number;
    };
    readonly lualib: { luaL_openlibs(state: unknown): void };
  }

  const fengari: Fengari;
  export = fengari;
}
