/* elf.c - reads headers, sections and exported names of an ELF file that nobody has vouched for. */
/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

#define HEADERS_MAX 512    /* more program or section headers are not looked at */
#define SYMBOLS_MAX 65536u /* likewise symbols */
#define NAME_MAX_   128    /* longer names of symbols are cut */

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__i386__)
#define NATIVE_MACHINE EM_386
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#elif defined(__arm__)
#define NATIVE_MACHINE EM_ARM
#elif defined(__riscv)
#define NATIVE_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define NATIVE_MACHINE EM_PPC64
#elif defined(__s390__)
#define NATIVE_MACHINE EM_S390
#elif defined(__mips__)
#define NATIVE_MACHINE EM_MIPS
#elif defined(__loongarch__)
#define NATIVE_MACHINE 258
#else
#error "name the ELF machine number of this processor here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

#define NATIVE_WIDE (sizeof(void *) == 8)

static int read_memory(const struct ge_file *f, uint64_t offset, void *p, size_t n)
{
    if (offset > f->size || n > f->size - offset)
        return GOST_EPROTO;
    memcpy(p, (const uint8_t *)f->memory + offset, n);
    return GOST_OK;
}

static int read_fd(const struct ge_file *f, uint64_t offset, void *p, size_t n)
{
    uint8_t *to = p;
    ssize_t got;

    if (offset > f->size || n > f->size - offset)
        return GOST_EPROTO;
    for (; n; n -= (size_t)got, offset += (uint64_t)got, to += got) {
        got = pread(f->fd, to, n, (off_t)offset);
        if (got <= 0)
            return GOST_EPROTO;
    }
    return GOST_OK;
}

struct ge_file ge_file_memory(const void *p, size_t n)
{
    struct ge_file f = {read_memory, n, p, -1};

    return f;
}

struct ge_file ge_file_fd(int fd)
{
    struct ge_file f = {read_fd, 0, NULL, fd};
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        f.size = (uint64_t)st.st_size;
    return f;
}

/* What both classes' file headers have in common. */
static void take_header(struct ge_elf *e, const void *raw, uint16_t *ret_type)
{
    const Elf64_Ehdr *w = raw;
    const Elf32_Ehdr *s = raw;

    *ret_type = e->wide ? w->e_type : s->e_type;
    e->machine = e->wide ? w->e_machine : s->e_machine;
    e->phoff = e->wide ? w->e_phoff : s->e_phoff;
    e->shoff = e->wide ? w->e_shoff : s->e_shoff;
    e->phentsize = e->wide ? w->e_phentsize : s->e_phentsize;
    e->phnum = e->wide ? w->e_phnum : s->e_phnum;
    e->shentsize = e->wide ? w->e_shentsize : s->e_shentsize;
    e->shnum = e->wide ? w->e_shnum : s->e_shnum;
}

static int refuse(char *why, size_t n, const char *text)
{
    snprintf(why, n, "%s", text);
    return GOST_EPROTO;
}

int ge_elf_open(struct ge_elf *ret_elf, const struct ge_file *file, char *why, size_t n)
{
    union {
        Elf64_Ehdr wide;
        Elf32_Ehdr small;
        uint8_t ident[EI_NIDENT];
    } raw;
    struct ge_elf e;
    uint16_t type = 0;
    size_t length;

    memset(&raw, 0, sizeof raw);
    memset(&e, 0, sizeof e);
    e.file = file;
    if (file->size == 0)
        return refuse(why, n, "is empty or no regular file");
    if (file->read(file, 0, raw.ident, EI_NIDENT) || memcmp(raw.ident, ELFMAG, SELFMAG) != 0)
        return refuse(why, n, "is no shared object (its first bytes are not those of an ELF file)");
    e.wide = raw.ident[EI_CLASS] == ELFCLASS64;
    if (!e.wide && raw.ident[EI_CLASS] != ELFCLASS32)
        return refuse(why, n, "is a damaged shared object: its ELF class is unknown");
    if (raw.ident[EI_DATA] != NATIVE_DATA)
        return refuse(why, n,
                      "was built for a machine with another byte order: build it for this one");
    length = e.wide ? sizeof raw.wide : sizeof raw.small;
    if (file->read(file, 0, &raw, length))
        return refuse(why, n, "is a damaged shared object: it ends within its header");
    take_header(&e, &raw, &type);
    if (type != ET_DYN)
        return refuse(why, n, "is no shared object: link it with -shared");
    if (e.phnum > HEADERS_MAX || e.shnum > HEADERS_MAX)
        return refuse(why, n, "is a damaged shared object: it has too many headers");
    e.foreign = e.machine != NATIVE_MACHINE || e.wide != NATIVE_WIDE;
    *ret_elf = e;
    return GOST_OK;
}

int ge_elf_program(const struct ge_elf *e, uint32_t i, struct ge_elf_part *ret_part)
{
    union {
        Elf64_Phdr wide;
        Elf32_Phdr small;
    } raw;
    size_t length = e->wide ? sizeof raw.wide : sizeof raw.small;

    if (i >= e->phnum || e->phentsize < length || e->phoff > e->file->size ||
        e->file->read(e->file, e->phoff + (uint64_t)i * e->phentsize, &raw, length))
        return GOST_EPROTO;
    memset(ret_part, 0, sizeof *ret_part);
    ret_part->type = e->wide ? raw.wide.p_type : raw.small.p_type;
    ret_part->offset = e->wide ? raw.wide.p_offset : raw.small.p_offset;
    ret_part->size = e->wide ? raw.wide.p_filesz : raw.small.p_filesz;
    return GOST_OK;
}

int ge_elf_section(const struct ge_elf *e, uint32_t i, struct ge_elf_part *ret_part)
{
    union {
        Elf64_Shdr wide;
        Elf32_Shdr small;
    } raw;
    size_t length = e->wide ? sizeof raw.wide : sizeof raw.small;

    if (i >= e->shnum || e->shentsize < length || e->shoff > e->file->size ||
        e->file->read(e->file, e->shoff + (uint64_t)i * e->shentsize, &raw, length))
        return GOST_EPROTO;
    ret_part->type = e->wide ? raw.wide.sh_type : raw.small.sh_type;
    ret_part->name = e->wide ? raw.wide.sh_name : raw.small.sh_name;
    ret_part->link = e->wide ? raw.wide.sh_link : raw.small.sh_link;
    ret_part->offset = e->wide ? raw.wide.sh_offset : raw.small.sh_offset;
    ret_part->size = e->wide ? raw.wide.sh_size : raw.small.sh_size;
    ret_part->entsize = e->wide ? raw.wide.sh_entsize : raw.small.sh_entsize;
    return GOST_OK;
}

/* The name of a symbol, cut to the buffer. Empty when it cannot be read. */
static void symbol_name(const struct ge_elf *e, const struct ge_elf_part *strings, uint32_t at,
                        char name[NAME_MAX_])
{
    size_t room = NAME_MAX_ - 1;

    name[0] = 0;
    if (at >= strings->size || strings->offset > e->file->size)
        return;
    if (room > strings->size - at)
        room = (size_t)(strings->size - at);
    if (room > e->file->size - strings->offset)
        room = (size_t)(e->file->size - strings->offset);
    if (strings->offset + at > e->file->size - room)
        room = strings->offset + at > e->file->size
                   ? 0
                   : (size_t)(e->file->size - strings->offset - at);
    if (e->file->read(e->file, strings->offset + at, name, room))
        room = 0;
    name[room] = 0;
}

static int symbol_exported(const struct ge_elf *e, uint64_t at, uint32_t *ret_name)
{
    union {
        Elf64_Sym wide;
        Elf32_Sym small;
    } raw;
    uint8_t info, other;
    uint16_t section;

    if (e->file->read(e->file, at, &raw, e->wide ? sizeof raw.wide : sizeof raw.small))
        return 0;
    info = e->wide ? raw.wide.st_info : raw.small.st_info;
    other = e->wide ? raw.wide.st_other : raw.small.st_other;
    section = e->wide ? raw.wide.st_shndx : raw.small.st_shndx;
    *ret_name = e->wide ? raw.wide.st_name : raw.small.st_name;
    return section != SHN_UNDEF && ELF64_ST_BIND(info) != STB_LOCAL &&
           (ELF64_ST_VISIBILITY(other) == STV_DEFAULT ||
            ELF64_ST_VISIBILITY(other) == STV_PROTECTED);
}

int ge_elf_exports(const struct ge_elf *e, void (*each)(void *arg, const char *name), void *arg)
{
    struct ge_elf_part table, strings;
    size_t length = e->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    char name[NAME_MAX_];
    uint32_t i, at;
    uint64_t k;

    for (i = 0; ge_elf_section(e, i, &table) == GOST_OK && table.type != SHT_DYNSYM; i++)
        ;
    if (i >= e->shnum || ge_elf_section(e, i, &table) || table.entsize < length ||
        ge_elf_section(e, table.link, &strings) || table.offset > e->file->size ||
        table.size / table.entsize > SYMBOLS_MAX)
        return GOST_EPROTO;
    for (k = 0; k < table.size / table.entsize; k++) {
        if (!symbol_exported(e, table.offset + k * table.entsize, &at))
            continue;
        symbol_name(e, &strings, at, name);
        if (name[0])
            each(arg, name);
    }
    return GOST_OK;
}
