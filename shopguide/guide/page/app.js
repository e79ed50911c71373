'use strict'
// All that a product or a shopper says becomes text, never markup.
const WORDS = {
  en: {
    search: 'What are you looking for?', go: 'Search', skip: 'To the results', filters: 'Filters', recommended: 'For you',
    because: 'because you viewed', similar: 'Similar products', ask: 'Ask about this product', send: 'Send', chat: 'Customer service',
    message: 'Your message', close: 'Close', key: 'Key of this service', locked: 'This service asks for a key that it knows.', category: 'Category', price: 'Price', other: '中文',
    nothing: 'Nothing found. Try other words, or fewer filters.', near: 'Nothing fits well. These come nearest.', beyond: 'Nothing that fits is known to have such a price. These come nearest.', unknown: 'Not known.', from: 'from', busy: 'Many are asking now; once more in a moment.',
    failed: 'The service does not answer.', person: 'A colleague will answer you.', mended: 'Results for', instead: 'Search word for word:', popular: 'Popular now',
    without: 'without', description: 'description', review: 'a review', attribute: 'attribute',
    hello: 'Hello! What can we do for you?', order: 'order', need: 'Looks like',
  },
  zh: {
    search: '想找什么？', go: '搜索', skip: '跳到结果', filters: '筛选', recommended: '为你推荐', because: '因为你看过', similar: '相似商品',
    ask: '问问这件商品', send: '发送', chat: '客服', message: '请输入', close: '关闭', key: '服务密钥', locked: '本服务需要有效的密钥。', category: '类目', price: '价格', other: 'English',
    nothing: '没有找到，换个说法或减少筛选试试。', near: '没有很合适的商品，以下最接近。', beyond: '没有查到该价位的合适商品，以下最接近。', unknown: '暂时不知道。', from: '来自', busy: '现在咨询的人很多，请稍后再试。', failed: '服务没有响应。',
    without: '不要', description: '描述', review: '买家评价', attribute: '属性',
    person: '将由人工客服为您解答。', mended: '以下是结果：', instead: '按原文搜索：', popular: '热门商品', hello: '您好，有什么可以帮您？', order: '订单', need: '您想找',
  },
}
const state = { language: navigator.language.startsWith('zh') ? 'zh' : 'en', query: '', mend: true, filters: {}, viewed: [], turn: 0, product: null, results: null }
const find = (selector, below = document) => below.querySelector(selector)
const say = name => WORDS[state.language][name] ?? name

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

async function ask(kind, body) {
  const headers = { 'Content-Type': 'application/json' }
  const key = sessionStorage.getItem('key')
  if (key) headers.Authorization = `Bearer ${key}`
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`api/${kind}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (answer.ok) return answer.json()
    if (answer.status === 503 && attempt < 2) {
      find('#notice').textContent = say('busy')
      await new Promise(done => setTimeout(done, 1000 * (Number(answer.headers.get('Retry-After')) || 1)))
      continue
    }
    if (answer.status === 401) { find('#key').hidden = false; find('#key input').focus(); throw new Error(say('locked')) }
    throw new Error((await answer.json().catch(() => ({}))).error ?? say('failed'))
  }
}

function translate() {
  document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en'
  for (const own of document.querySelectorAll('[data-say]')) own.textContent = say(own.dataset.say)
  for (const own of document.querySelectorAll('[data-hint]')) own.placeholder = say(own.dataset.hint)
  for (const own of document.querySelectorAll('[data-label]')) own.setAttribute('aria-label', say(own.dataset.label))
  find('#language').textContent = say('other')
  if (state.results) showResults(state.results)
}

const plain = category => (category ?? '').split('/').pop().replaceAll('_', ' ')
const price = value => value === null ? '' : value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 })

function picture(item) {
  const frame = make('div', { class: 'picture' })
  if (!item.has_image) frame.textContent = '◫'
  else frame.append(make('img', { src: `images/${item.item_id.split('/').map(encodeURIComponent).join('/')}`, alt: '', loading: 'lazy', onerror: () => { frame.textContent = '◫' } }))
  return frame
}

function card(item) {
  const told = make('div', { class: 'told' }, make('span', { class: 'title' }, item.title), make('span', { class: 'kind' }, plain(item.category)))
  told.append(make('span', { class: 'price' }, price(item.price)))
  const seen = state.viewed.find(own => own.item_id === item.because)
  if (seen) told.append(make('span', { class: 'why' }, `${say('because')} ${seen.title}`))
  return make('li', {}, make('button', { class: 'card', type: 'button', 'data-item': item.item_id, onclick: () => openProduct(item) }, picture(item), told))
}

// A search has an address of its own, behind the #: it can be kept and gone back to, and never reaches the server's logs.
function remember(again) {
  const told = new URLSearchParams({ q: state.query })
  if (!state.mend) told.set('as', 'typed')
  for (const [name, values] of Object.entries(state.filters)) for (const value of values) told.append('in', JSON.stringify([name, value]))
  if (location.hash !== `#${told}`) history[again ? 'replaceState' : 'pushState'](null, '', `#${told}`)
}

function recall() {
  const told = new URLSearchParams(location.hash.slice(1))
  const query = (told.get('q') ?? '').trim()
  find('#query').value = query
  if (!query) return home()
  state.filters = {}
  for (const pair of told.getAll('in')) {
    try { const [name, value] = JSON.parse(pair); (state.filters[name] ??= []).push(value) } catch { /* an address that was typed wrong */ }
  }
  search(query, told.get('as') !== 'typed', true)
}

function home() {
  Object.assign(state, { query: '', filters: {}, results: null, turn: state.turn + 1 })
  for (const place of ['#need', '#notice', '#items', '#facets']) find(place).replaceChildren()
  find('main').classList.add('bare')
  recommend()
}

async function search(query, mend, again = false) {
  const turn = ++state.turn
  Object.assign(state, { query, mend })
  remember(again)
  try {
    const results = await ask('search', { query, filters: state.filters, count: 24, mend })
    if (turn === state.turn) showResults(state.results = results)
  } catch (error) {
    if (turn === state.turn) find('#notice').textContent = error.message
  }
}

function showResults({ need, searched, mended, items, fits, facets, beyond_price }) {
  find('#recommended').hidden = true
  showNeed(need)
  const notice = find('#notice')
  notice.textContent = !items.length ? say('nothing') : fits === false ? say('near') : beyond_price ? say('beyond') : ''
  if (searched !== state.query && items.length) {
    if (mended) notice.append(`${notice.textContent && ' '}${say('mended')} “${searched}” · `)
    notice.append(make('button', { type: 'button', onclick: () => search(state.query, false) }, `${say('instead')} “${state.query}”`))
  }
  find('#items').replaceChildren(...items.map(card))
  showFacets(facets)
}

function showNeed(need) {
  const place = find('#need'), letters = [...need.query], parts = []   // spans count code points
  let at = 0
  for (const span of need.spans) {
    parts.push(letters.slice(at, span.start).join(''), make('mark', {}, span.text, ' ', make('small', {}, plain(span.label))))
    at = span.end
  }
  parts.push(letters.slice(at).join(''))
  const [best] = need.category
  if (best) parts.push(make('span', { class: 'chip' }, `${say('need')}: ${plain(best.label)} ${Math.round(100 * best.probability)} %`))
  for (const [sign, bound] of [['≥', need.price_from], ['≤', need.price_to]])
    if (bound !== null) parts.push(make('span', { class: 'chip' }, `${say('price')} ${sign} ${price(bound)}`))
  for (const value of Object.values(need.without).flat()) parts.push(make('span', { class: 'chip' }, `${say('without')} ${value}`))
  place.replaceChildren(...parts)
}

function showFacets(facets) {
  const place = find('#facets')
  for (const name of Object.keys(state.filters)) facets[name] ??= state.filters[name].map(value => [value, ''])
  const chosen = ([name]) => name in state.filters ? 0 : 1   // what is filtered by stands first
  place.replaceChildren(...Object.entries(facets).sort((one, other) => chosen(one) - chosen(other)).map(([name, values]) => make('section', {}, make('h3', {}, say(name)),
    ...values.map(([value, count]) => make('button', {
      type: 'button', 'aria-pressed': String(state.filters[name]?.includes(value) ?? false), onclick: () => toggle(name, value),
    }, name === 'category' ? plain(value) : value, make('span', {}, String(count)))))))
  find('main').classList.toggle('bare', !place.children.length)
}

function toggle(name, value) {
  const own = state.filters[name] ?? []
  const left = own.includes(value) ? own.filter(other => other !== value) : [...own, value]
  if (left.length) state.filters[name] = left
  else delete state.filters[name]
  search(state.query, state.mend)
}

async function openProduct(item) {
  state.product = item
  state.viewed = [...state.viewed.filter(own => own.item_id !== item.item_id), item].slice(-20)
  const dialog = find('#product')
  find('#product-title').textContent = item.title
  find('.price', dialog).textContent = price(item.price)
  find('.product .picture', dialog).replaceWith(picture(item))
  const facts = [['category', plain(item.category)], ...Object.entries(item.attributes)].filter(([, value]) => value)
  find('dl', dialog).replaceChildren(...facts.flatMap(([name, value]) => [make('dt', {}, say(name)), make('dd', {}, value)]))
  find('.answer', dialog).replaceChildren()
  find('.ask input', dialog).value = ''
  find('.cards', dialog).replaceChildren()
  if (!dialog.open) {
    history.pushState({ product: true }, '')   // Back closes it, and nothing else
    dialog.showModal()
  }
  dialog.scrollTop = 0
  try {
    const similar = await ask('similar', { item_id: item.item_id, count: 6 })
    if (state.product === item) find('.cards', dialog).replaceChildren(...similar.map(card))
  } catch (error) { find('.answer', dialog).textContent = error.message }
}

async function recommend() {
  const turn = state.turn
  try {
    const items = await ask('recommend', { viewed_items: state.viewed.map(item => item.item_id), query: state.viewed.length ? state.query : '', count: 12, diversity: 0.3 })
    if (turn !== state.turn) return
    find('#recommended h2').textContent = say(state.viewed.length ? 'recommended' : 'popular')
    find('#recommended ol').replaceChildren(...items.map(card))
    find('#recommended').hidden = !items.length
  } catch (error) { find('#notice').textContent = error.message }
}

async function question(event) {
  event.preventDefault()
  const place = find('#product .answer'), own = find('#product .ask input').value.trim(), { product } = state
  if (!own) return
  try {
    const { answer, evidence } = await ask('answer', { question: own, item_id: product.item_id })
    if (product !== state.product) return
    place.replaceChildren(answer ?? say('unknown'), ...evidence.map(one => make('small', {}, `${say('from')} ${say(one.name)}: ${one.text}`)))
  } catch (error) { place.textContent = error.message }
}

const chatLine = (words, kind = '', more = '') => {
  const line = make('li', { class: kind }, words)
  if (more) line.append(make('small', {}, more))
  find('#chat ol').append(line)
  line.scrollIntoView({ block: 'nearest' })
}

async function message(event) {
  event.preventDefault()
  const field = find('#chat input'), own = field.value.trim()
  if (!own) return
  chatLine(own, 'own')
  field.value = ''
  try {
    const body = { message: own }
    if (state.product) body.item_id = state.product.item_id   // the one that was looked at last
    const { reply, slots, handover } = await ask('reply', body)
    const named = slots.order.map(number => `${say('order')} ${number}`).join(', ')
    if (reply.answer) chatLine(reply.answer, '', named)
    if (handover) chatLine(say('person'), 'person', reply.answer ? '' : named)
  } catch (error) { chatLine(error.message, 'person') }
}

function toggleChat(shown) {
  find('#chat').hidden = !shown
  find('#open-chat').hidden = shown
  find('#open-chat').setAttribute('aria-expanded', String(shown))
  if (shown && !find('#chat ol').children.length) chatLine(say('hello'))
  find(shown ? '#chat input' : '#open-chat').focus()
}

find('#search').addEventListener('submit', event => {
  event.preventDefault()
  const query = find('#query').value.trim()
  state.filters = {}
  if (query) search(query, true)
})
find('#language').addEventListener('click', () => { state.language = state.language === 'zh' ? 'en' : 'zh'; translate() })
find('#key').addEventListener('submit', event => {
  event.preventDefault()
  sessionStorage.setItem('key', find('#key input').value)
  find('#key').hidden = true
  find('#notice').textContent = ''
  recall()
})
find('#product .ask').addEventListener('submit', question)
let closing = false
find('#product').addEventListener('close', () => {
  if (history.state?.product) { closing = true; history.back() }
  recommend()
})
find('#chat form').addEventListener('submit', message)
find('#chat .close').addEventListener('click', () => toggleChat(false))
find('#open-chat').addEventListener('click', () => toggleChat(true))
addEventListener('keydown', event => {
  const typing = ['INPUT', 'TEXTAREA'].includes(document.activeElement.tagName)
  if (event.key === '/' && !typing) { event.preventDefault(); find('#query').focus() }
  if (event.key === 'Escape' && !find('#chat').hidden) toggleChat(false)
})
addEventListener('popstate', () => {
  if (closing) { closing = false; return }
  if (find('#product').open) return find('#product').close()
  if (!location.hash || new URLSearchParams(location.hash.slice(1)).has('q')) recall()
})
translate()
recall()
